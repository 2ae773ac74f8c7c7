/* 32: memory of the kernel in attributes of files. `xattrs MIB` */
#include "probe.h"

#include <sys/xattr.h>

int main(int count, char** words) {
  (void)count;
  static char value[60000];
  long wanted = atol(words[1]) << 20;
  long written = 0;
  char name[32];
  for (int file = 0; file < 10000 && written < wanted; ++file) {
    snprintf(name, sizeof name, "/dev/shm/x%d", file);
    if (access("/dev/shm/x0", F_OK) != 0 && file > 0) snprintf(name, sizeof name, "x%d", file);
    int made = open(name, O_CREAT | O_WRONLY, 0600);
    if (made < 0) {
      snprintf(name, sizeof name, "x%d", file);
      made = open(name, O_CREAT | O_WRONLY, 0600);
    }
    if (made < 0) break;
    for (int i = 0; i < 64 && written < wanted; ++i) {
      char attribute[32];
      snprintf(attribute, sizeof attribute, "user.a%d", i);
      if (fsetxattr(made, attribute, value, sizeof value, 0) != 0) {
        if (file == 0 && i == 0) report("first", -1);
        break;
      }
      written += (long)sizeof value;
    }
    close(made);
  }
  say("attributes: %ld MiB", written >> 20);
}
