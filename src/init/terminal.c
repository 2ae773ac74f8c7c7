#include "init/terminal.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

bool terminal_open(struct TerminalSize size, int* our_side, int* program_side) {
  *our_side = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*our_side < 0) return false;
  int unlocked = 0;
  if (ioctl(*our_side, TIOCSPTLCK, &unlocked) != 0) return false;
  *program_side = ioctl(*our_side, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*program_side < 0) return false;
  terminal_resize(*our_side, size);
  return true;
}

bool terminal_control(int program_side) { return ioctl(program_side, TIOCSCTTY, 0) == 0; }

void terminal_resize(int our_side, struct TerminalSize size) {
  const struct winsize window = {.ws_row = size.rows, .ws_col = size.columns};
  ioctl(our_side, TIOCSWINSZ, &window);
}
