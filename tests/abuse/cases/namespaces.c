/* 62: namespaces of its own, which are the way to most of the kernel. */
#include "probe.h"

static void try_unshare(const char* name, int flags) {
  pid_t child = fork();
  if (child == 0) {
    report(name, unshare(flags));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void try_clone(const char* name, long flags) {
  long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  report(name, child);
  if (child > 0) waitpid((pid_t)child, NULL, 0);
}

int main(void) {
  static const struct {
    const char* name;
    int flag;
  } kinds[] = {{"user", CLONE_NEWUSER},     {"net", CLONE_NEWNET}, {"mnt", CLONE_NEWNS},
               {"pid", CLONE_NEWPID},       {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS},
               {"cgroup", CLONE_NEWCGROUP}, {"time", 0x00000080}};
  char name[64];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    snprintf(name, sizeof name, "unshare %s", kinds[i].name);
    try_unshare(name, kinds[i].flag);
    if (kinds[i].flag == 0x80) continue;  // among the flags of clone it is a signal number
    snprintf(name, sizeof name, "clone %s", kinds[i].name);
    try_clone(name, kinds[i].flag);
  }
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } wishes = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  long child = syscall(SYS_clone3, &wishes, sizeof wishes);
  if (child == 0) _exit(0);
  report("clone3 user", child);
  try_clone("clone user, high bits", (long)CLONE_NEWUSER | ((long)1 << 40));
}
