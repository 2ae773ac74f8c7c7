/* 35: makes the kernel wait for a page that we give it when we like. */
#include "probe.h"

int main(void) {
  report("userfaultfd", syscall(SYS_userfaultfd, 0));
  report("/dev/userfaultfd", open("/dev/userfaultfd", O_RDWR));
  int self = (int)syscall(SYS_pidfd_open, getppid(), 0);
  report("process_madvise", syscall(SYS_process_madvise, self, NULL, 0, MADV_COLD, 0));
  report("move_pages", syscall(SYS_move_pages, getppid(), 0, NULL, NULL, NULL, 0));
}
