/* 45: /box/out/x is a file and a symbolic link to a secret in turn. `swap_race FLIPS` */
#include "probe.h"

int main(int count, char** words) {
  long flips = count > 1 ? atol(words[1]) : 100000;
  mkdir("/box/out", 0755);
  int file = open("/box/out/x", O_CREAT | O_WRONLY, 0644);
  if (write(file, "harmless\n", 9) < 0) return 1;
  if (symlink("/etc/passwd", "/box/out/y") != 0) return 1;
  for (long i = 0; i < flips; ++i) {
    syscall(SYS_renameat2, AT_FDCWD, "/box/out/x", AT_FDCWD, "/box/out/y", 2 /* RENAME_EXCHANGE */);
  }
  say("flipped: %ld", flips);
}
