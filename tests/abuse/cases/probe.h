/* What the attacks share: saying what came of something, one `name: value` per line. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* One line, at once: an attack may not live to flush. */
static inline void say(const char* format, ...) {
  char line[512];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line - 1, format, values);
  va_end(values);
  line[length++] = '\n';
  if (write(1, line, (size_t)length) < 0) _exit(99);
}

static inline const char* errno_word(int number) {
  static const struct {
    int number;
    const char* word;
  } words[] = {{EPERM, "EPERM"},
               {ENOENT, "ENOENT"},
               {ESRCH, "ESRCH"},
               {EIO, "EIO"},
               {ENXIO, "ENXIO"},
               {ENOEXEC, "ENOEXEC"},
               {EBADF, "EBADF"},
               {ECHILD, "ECHILD"},
               {EAGAIN, "EAGAIN"},
               {ENOMEM, "ENOMEM"},
               {EACCES, "EACCES"},
               {EFAULT, "EFAULT"},
               {ENOTBLK, "ENOTBLK"},
               {EBUSY, "EBUSY"},
               {EEXIST, "EEXIST"},
               {ENODEV, "ENODEV"},
               {ENOTDIR, "ENOTDIR"},
               {EISDIR, "EISDIR"},
               {EINVAL, "EINVAL"},
               {ENFILE, "ENFILE"},
               {EMFILE, "EMFILE"},
               {EFBIG, "EFBIG"},
               {ENOSPC, "ENOSPC"},
               {EROFS, "EROFS"},
               {EPIPE, "EPIPE"},
               {ENOSYS, "ENOSYS"},
               {ELOOP, "ELOOP"},
               {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
               {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT"},
               {EAFNOSUPPORT, "EAFNOSUPPORT"},
               {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
               {ENETDOWN, "ENETDOWN"},
               {ENETUNREACH, "ENETUNREACH"},
               {EHOSTUNREACH, "EHOSTUNREACH"},
               {ECONNREFUSED, "ECONNREFUSED"},
               {ETIMEDOUT, "ETIMEDOUT"},
               {EOPNOTSUPP, "EOPNOTSUPP"}};
  static char other[24];
  for (size_t i = 0; i < sizeof words / sizeof *words; ++i) {
    if (words[i].number == number) return words[i].word;
  }
  snprintf(other, sizeof other, "errno %d", number);
  return other;
}

/* What a system call answered: `name: OK`, or the word of errno. */
static inline void report(const char* name, long answer) {
  say("%s: %s", name, answer >= 0 ? "OK" : errno_word(errno));
}

/* Waits for a signal that does not come. */
static inline void hold(void) {
  for (;;) pause();
}
