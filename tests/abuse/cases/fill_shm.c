/* 28: memory that belongs to nobody: System V segments outlive their makers. `fill_shm MIB` */
#include "probe.h"

#include <sys/shm.h>

int main(int count, char** words) {
  (void)count;
  int wanted = atoi(words[1]);
  int made = 0;
  while (made < wanted) {
    int segment = shmget(IPC_PRIVATE, 1 << 20, 0600);
    char* place = segment < 0 ? (char*)-1 : shmat(segment, NULL, 0);
    if (place == (char*)-1) break;
    memset(place, 'x', 1 << 20);
    shmdt(place);
    ++made;
  }
  say("segments: %d MiB %s", made, made < wanted ? errno_word(errno) : "all");
}
