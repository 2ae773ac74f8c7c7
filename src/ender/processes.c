#include "ender/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { stat_max = 1024, environment_max = 4 << 20 };

static ssize_t read_file(const char* path, char* into, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  while (length < size) {
    const ssize_t count = read(fd, into + length, size - length);
    if (count <= 0) break;
    length += (size_t)count;
  }
  close(fd);
  return (ssize_t)length;
}

// A name stands in brackets and is anybody's to choose: what counts comes after the last bracket.
static bool read_process(pid_t pid, struct Process* process) {
  char path[64];
  char stat[stat_max + 1];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  const ssize_t length = read_file(path, stat, stat_max);
  if (length <= 0) return false;
  stat[length] = '\0';
  const char* after = strrchr(stat, ')');
  char state = 0;
  int parent = 0;
  int group = 0;
  int session = 0;
  if (after == NULL || sscanf(after + 1, " %c %d %d %d", &state, &parent, &group, &session) != 4) {
    return false;
  }
  *process = (struct Process){
      .pid = pid, .parent = parent, .session = session, .dead = state == 'Z' || state == 'X'};
  return true;
}

void for_each_process(bool (*each)(const struct Process* process, void* with), void* with) {
  DIR* folder = opendir("/proc");
  if (folder == NULL) return;
  const struct dirent* entry;
  while ((entry = readdir(folder)) != NULL) {
    char* end = NULL;
    const long pid = strtol(entry->d_name, &end, 10);
    struct Process process;
    if (end == entry->d_name || *end != '\0' || pid <= 1 || pid == getpid()) continue;
    if (read_process((pid_t)pid, &process) && !each(&process, with)) break;
  }
  closedir(folder);
}

bool has_mark(pid_t pid, const char* mark) {
  static char environment[environment_max + 1];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
  const ssize_t length = read_file(path, environment, environment_max);
  if (length <= 0) return false;
  environment[length] = '\0';
  for (const char* at = environment; at < environment + length; at += strlen(at) + 1) {
    if (strcmp(at, mark) == 0) return true;
  }
  return false;
}
