#pragma once

#include "init/protocol.h"
#include "init/text.h"

// Ends everything: kills whatever runs, tells the sentence as an 'X' frame and on stderr, exits.
_Noreturn void fail(enum ExitCode code, const struct Text* sentence);
_Noreturn void refuse(const char* sentence);             // fail with exit_refused
_Noreturn void break_down(const char* what, int error);  // "cannot <what>: <strerror>"
// Nobody reads our frames: kills whatever runs and leaves without a word.
_Noreturn void leave_unheard(void);

// SIGKILL for every other process of the namespace. The kernel spares the sender and PID 1, which
// is us; main() makes sure that we are.
void kill_everything(void);
