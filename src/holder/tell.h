// What the holder says: lines on standard output, which the server reads (docs/network.md).
#pragma once

// One line of these words, joined; the last is NULL.
void tell(const char* word, ...);
// "cannot <what>: <strerror>", and the end.
_Noreturn void break_down(const char* what, int error);
