/* 38, 40: `inodes files` makes 20,000 of them, `inodes deep` as many folders in each other. */
#include "probe.h"

enum { enough = 20000 };

int main(int count, char** words) {
  int deep = count > 1 && strcmp(words[1], "deep") == 0;
  int made = 0;
  char name[32] = "d";
  while (made < enough) {
    if (!deep) snprintf(name, sizeof name, "f%d", made);
    int answer = deep ? mkdir(name, 0700) : open(name, O_CREAT | O_WRONLY, 0600);
    if (answer < 0) break;
    if (!deep) close(answer);
    if (deep && chdir(name) != 0) break;
    ++made;
  }
  say("made: %d %s", made, made < enough ? errno_word(errno) : "enough");
}
