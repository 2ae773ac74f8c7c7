/* 67: what came with it: descriptors, the working directory, what environ and auxv tell. */
#include "probe.h"

int main(void) {
  for (int file = 3; file < 4096; ++file) {
    if (fcntl(file, F_GETFD) >= 0) say("descriptor %d: OK", file);
  }
  char path[4096];
  say("fact cwd: %s", getcwd(path, sizeof path) != NULL ? path : errno_word(errno));
  char link[64];
  for (int file = 0; file < 64; ++file) {
    snprintf(link, sizeof link, "/proc/1/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) say("%s: OK", link);
  }
  for (int file = 3; file < 32; ++file) {
    snprintf(link, sizeof link, "/proc/self/fd/%d/../../../../etc/shadow", file);
    if (open(link, O_RDONLY) >= 0) say("%s: OK", link);
  }
  report("cwd of PID 1", readlink("/proc/1/cwd", path, sizeof path));
  report("root of PID 1", readlink("/proc/1/root", path, sizeof path));
}
