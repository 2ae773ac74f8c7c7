/* 8, 13, 17: as many processes as it gets. `fork_bomb WAIT_MS KIND`; KIND is `live` or `zombies`.
 */
#include "probe.h"

enum { enough = 400 };

int main(int count, char** words) {
  if (count > 1) usleep((useconds_t)atoi(words[1]) * 1000);
  int zombies = count > 2 && strcmp(words[2], "zombies") == 0;
  int made = 0;
  while (made < enough) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0 && zombies) _exit(0);
    if (child == 0) hold();
    ++made;
  }
  say("processes: %d %s", made, made < enough ? errno_word(errno) : "enough");
  if (!zombies) hold();
}
