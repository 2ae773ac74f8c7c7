/* 27, 30, 37, 41: writes a file of MIB at PATH. `fill_file PATH MIB` */
#include "probe.h"

int main(int count, char** words) {
  (void)count;
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  signal(SIGXFSZ, SIG_IGN);
  int file = open(words[1], O_WRONLY | O_CREAT, 0600);
  if (file < 0) {
    say("open: %s", errno_word(errno));
    return 0;
  }
  long wanted = atol(words[2]) << 20;
  long written = 0;
  while (written < wanted) {
    ssize_t some = write(file, block, sizeof block);
    if (some < 0) break;
    written += some;
  }
  say("written: %ld %s", written, written < wanted ? errno_word(errno) : "all");
}
