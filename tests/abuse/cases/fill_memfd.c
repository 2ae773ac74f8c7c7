/* 28: 256 MiB in files that are nowhere. */
#include "probe.h"

int main(void) {
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  int file = (int)syscall(SYS_memfd_create, "filler", 0);
  long written = 0;
  while (written < 256) {
    if (write(file, block, sizeof block) < 0) break;
    ++written;
  }
  say("written: %ld MiB %s", written, written < 256 ? errno_word(errno) : "all");
}
