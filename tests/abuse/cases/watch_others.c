/* 70: what files that several sandboxes share tell: who opens them, who has locked them.
 * `watch_others watch|lock FOLDER` */
#include "probe.h"

#include <dirent.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>

static void visit(const char* folder, int watcher, int* watched, int* locked) {
  DIR* open_folder = opendir(folder);
  if (open_folder == NULL) return;
  char path[512];
  for (struct dirent* entry; (entry = readdir(open_folder)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (inotify_add_watch(watcher, path, IN_ALL_EVENTS) >= 0) ++*watched;
    int file = open(path, O_RDONLY);
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) ++*locked;
  }
  closedir(open_folder);
}

int main(int count, char** words) {
  (void)count;
  int watcher = inotify_init1(IN_NONBLOCK);
  int watched = 0;
  int locked = 0;
  visit(words[1], watcher, &watched, &locked);
  say("fact %d watched, %d locked", watched, locked);
  char events[65536];
  usleep(300000);
  while (read(watcher, events, sizeof events) > 0) {
  }
  struct pollfd ready = {watcher, POLLIN, 0};
  say("fact events of others: %s", poll(&ready, 1, 2500) == 1 ? "seen" : "none");
}
