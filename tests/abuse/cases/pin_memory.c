/* 31: memory that can not be taken away. */
#include "probe.h"

#include <sys/resource.h>

int main(void) {
  size_t size = 16 << 20;
  void* place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  report("mlock", mlock(place, size));
  report("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
  munlockall();
  struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  report("RLIMIT_MEMLOCK", setrlimit(RLIMIT_MEMLOCK, &all));
  report("MAP_LOCKED",
         mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED
             ? -1
             : 0);
  report("SHM_LOCK", syscall(SYS_shmctl, syscall(SYS_shmget, 0, size, 0600), 11, NULL));
}
