/* 23, 24, 34: touches MIB of memory. `touch_memory MIB [child]`: a child does it, its parent says
 * 0. */
#include "probe.h"

static void touch(size_t mib) {
  for (size_t i = 0; i < mib; ++i) {
    char* place = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
      say("touched: %zu MiB %s", i, errno_word(errno));
      exit(1);
    }
    for (size_t at = 0; at < 1 << 20; at += 512) place[at] = (char)(at ^ i);
  }
  say("touched: %zu MiB all", mib);
}

int main(int count, char** words) {
  size_t mib = (size_t)atoi(words[1]);
  if (count > 2 && fork() == 0) {
    touch(mib);
    return 0;
  }
  if (count > 2) {
    wait(NULL);
    return 0;
  }
  touch(mib);
}
