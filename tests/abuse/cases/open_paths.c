/* 65, 66: opens each path. `open_paths read|write PATH…` Nothing is written: to be let in is
 * enough. */
#include "probe.h"

int main(int count, char** words) {
  int writes = strcmp(words[1], "write") == 0;
  for (int i = 2; i < count; ++i) {
    int file = open(words[i], (writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
    if (file < 0) {
      report(words[i], -1);
      continue;
    }
    char some[64];
    ssize_t read_bytes = writes ? 1 : read(file, some, sizeof some);
    if (read_bytes == 0) say("%s: empty", words[i]);
    if (read_bytes != 0) report(words[i], read_bytes);
    close(file);
  }
}
