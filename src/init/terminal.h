// A pseudoterminal between init and the program.
#pragma once

#include "init/request.h"

#include <stdbool.h>

// Opens both sides, close-on-exec. The program's side is opened through ours and not by a name in
// /dev, which the image has made. False with errno set.
bool terminal_open(struct TerminalSize size, int* our_side, int* program_side);
// In the child, in a session of its own: makes its side the terminal that controls it.
bool terminal_control(int program_side);
void terminal_resize(int our_side, struct TerminalSize size);
