// The nursery inside an interpreter: a library that LD_PRELOAD puts before the C library's read().
//
// The interpreter boots as it always does, up to the waiter (src/sandbox/warm), which says on
// descriptor 3 that it is ready and then reads there. That read never returns in the interpreter
// itself: it serves as nursery. Its children become gantry-init; when that starts "the waiting
// interpreter", the forked process does not execute anything but goes on out of read(), in its own
// namespaces and with a socket of its gantry-init as descriptor 3: an interpreter that is booted.
#include "init/descriptors.h"
#include "init/execute.h"
#include "nursery/birth.h"
#include "nursery/pages.h"
#include "nursery/serve.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static bool serving;
static jmp_buf at_read;
static struct sigaction actions[NSIG];
static char* environment_begin;
static size_t environment_size;

// An interpreter looks at its standard input when it boots, and remembers whether it is a pipe, as
// that of its programs is.
__attribute__((constructor)) static void make_input_a_pipe(void) {
  int ends[2];
  if (pipe(ends) != 0) return;
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  close(ends[1]);
}

// What a process of this name shows as /proc/self/environ.
__attribute__((constructor)) static void remember_environment(int count, char** argv, char** envp) {
  (void)count, (void)argv;
  if (envp == NULL || envp[0] == NULL) return;
  environment_begin = envp[0];
  char** last = envp;
  while (last[1] != NULL) ++last;
  environment_size = (size_t)(*last + strlen(*last) - environment_begin);
}

static void remember_signals(void) {
  for (int number = 1; number < NSIG; ++number) sigaction(number, NULL, &actions[number]);
}

static void restore_signals(void) {
  for (int number = 1; number < NSIG; ++number) sigaction(number, &actions[number], NULL);
}

EXPORTED ssize_t read(int fd, void* into, size_t size) {
  if (fd == nursery_socket && !serving) {
    serving = true;
    remember_signals();
    pages_remember();
    if (setjmp(at_read) == 0) nursery_serve(fd);
  }
  return syscall(SYS_read, fd, into, size);
}

// In the process that was forked for a program: 0, 1 and 2 are its pipes, and 3 is its end of a
// socket when it is to be the waiting interpreter.
void execute(char** arguments) {
  struct stat channel;
  if (fstat(nursery_socket, &channel) != 0 || !S_ISSOCK(channel.st_mode)) {
    execvp(arguments[0], arguments);
    return;
  }
  static const char ready = 1;
  close_descriptors_from(nursery_socket + 1);
  restore_signals();
  pages_make_own();
  memset(environment_begin, 0, environment_size);
  environ[0] = NULL;  // or its children would inherit the blanks
  (void)!write(nursery_socket, &ready, 1);
  longjmp(at_read, 1);
}
