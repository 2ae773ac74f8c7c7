#include "init/descriptors.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void close_descriptors_from(int first) {
  if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0) return;
  // Kernels before 5.9, and filters that do not know the call.
  const rlim_t searched_max = 65536;
  struct rlimit open_files;
  if (getrlimit(RLIMIT_NOFILE, &open_files) != 0 || open_files.rlim_cur > searched_max) {
    open_files.rlim_cur = searched_max;
  }
  for (int fd = first; fd < (int)open_files.rlim_cur; ++fd) close(fd);
}
