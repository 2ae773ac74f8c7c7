/* 19, 22: processes that come and go, as fast as it can. */
#include "probe.h"

int main(void) {
  for (uint64_t made = 0;; ++made) {
    pid_t child = vfork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    if (made == 500) say("processes: 500 and more");
  }
}
