/* 33: what the kernel counts per user, over all containers. `user_limits hog` takes all and waits;
 * `user_limits want` asks for one of each. */
#include "probe.h"

#include <sys/inotify.h>
#include <sys/resource.h>

enum { pipes_max = 400 };

int main(int count, char** words) {
  int hog = count > 1 && strcmp(words[1], "hog") == 0;
  if (!hog) {
    usleep(700000);
    report("inotify", inotify_init1(0));
    return 0;
  }
  int made = 0;
  while (made < 5000 && inotify_init1(0) >= 0) ++made;
  say("inotify taken: %d", made);
  int pair[2];
  for (int i = 0; i < pipes_max && pipe(pair) == 0; ++i) fcntl(pair[0], F_SETPIPE_SZ, 1 << 20);
  usleep(2000000);
}
