/* 63: looks into and changes other processes. */
#include "probe.h"

#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

int main(void) {
  pid_t child = fork();
  if (child == 0) hold();
  usleep(20000);
  char byte = 0;
  uint64_t limit[2] = {0};
  struct iovec mine = {&byte, 1};
  struct iovec theirs = {&byte, 1};
  report("process_vm_readv", process_vm_readv(child, &mine, 1, &theirs, 1, 0));
  report("process_vm_writev", process_vm_writev(child, &mine, 1, &theirs, 1, 0));
  int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  report("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 1, 0));
  report("kcmp", syscall(SYS_kcmp, getpid(), child, 0, 1, 1));
  report("ptrace attach", ptrace(PTRACE_ATTACH, child, NULL, NULL));
  report("ptrace seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
  report("ADDR_NO_RANDOMIZE", personality(ADDR_NO_RANDOMIZE));
  report("READ_IMPLIES_EXEC", personality(READ_IMPLIES_EXEC));
  report("limits of PID 1", syscall(SYS_prlimit64, 1, 7, NULL, limit));
  kill(child, SIGKILL);
}
