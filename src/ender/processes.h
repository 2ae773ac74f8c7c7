#pragma once

#include <stdbool.h>
#include <sys/types.h>

// What /proc tells of the processes of this namespace.

struct Process {
  pid_t pid;
  pid_t parent;  // 0: of another namespace
  pid_t session;
  bool dead;  // a zombie, or on its way out
};

// Calls `each` for every process but the first of the namespace and this one, until it answers
// false.
void for_each_process(bool (*each)(const struct Process* process, void* with), void* with);
// Whether `mark`, a whole `NAME=value`, is in the environment that it was started with.
bool has_mark(pid_t pid, const char* mark);
