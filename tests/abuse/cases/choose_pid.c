/* 22: takes the number of a process that has just gone. */
#include "probe.h"

int main(void) {
  // Everybody may open it; who may write is decided at the write.
  int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
  report("ns_last_pid", last < 0 ? last : write(last, "29999", 5));
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        size;
    uint64_t cgroup;
  } wishes = {.exit_signal = SIGCHLD};
  pid_t wanted = 30000;
  wishes.set_tid = (uint64_t)(uintptr_t)&wanted;
  wishes.size = 1;
  long child = syscall(SYS_clone3, &wishes, sizeof wishes);
  if (child == 0) _exit(0);
  report("clone3 set_tid", child);
}
