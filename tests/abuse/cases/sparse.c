/* 39: a file of 1 TiB that has nothing in it. */
#include "probe.h"

int main(void) {
  signal(SIGXFSZ, SIG_IGN);
  mkdir("out", 0755);
  int file = open("out/sparse", O_CREAT | O_RDWR, 0600);
  report("ftruncate 1 TiB", ftruncate(file, (off_t)1 << 40));
  report("fallocate 1 TiB", fallocate(file, 0, 0, (off_t)1 << 40));
}
