// gantry-init: PID 1 of a sandbox container. It receives a program over fd 0, runs it, and tells
// over fd 1 what it wrote and how it ended. docs/protocols/init.md is its contract.
//
// The program runs under the same user, so everything here is written against it: init can not be
// traced or looked into (non-dumpable), shares no descriptor with it, takes no signal from it but a
// pointless SIGCHLD, believes nothing it writes, and allocates nothing while it runs.
#include "init/accounting.h"
#include "init/descriptors.h"
#include "init/fail.h"
#include "init/files.h"
#include "init/frames.h"
#include "init/request.h"
#include "init/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

// PID 1 is spared every signal it has no handler for, even SIGKILL, if it comes from inside the
// namespace. So: no handlers. SIGCHLD is blocked and read through a descriptor.
static int take_child_signals(void) {
  sigset_t child_signals;
  sigemptyset(&child_signals);
  sigaddset(&child_signals, SIGCHLD);
  sigprocmask(SIG_SETMASK, &child_signals, NULL);
  signal(SIGCHLD, SIG_DFL);  // inherited as ignored it would make the kernel reap for us
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const int fd = signalfd(-1, &child_signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) break_down("watch for child processes", errno);
  return fd;
}

int main(int argc, char** argv) {
  const char* work_folder = argc > 1 ? argv[1] : "/box";
  if (getpid() != 1) {
    // Anywhere else kill(-1) would hit processes that are not ours.
    static const char words[] = "gantry-init runs only as PID 1 of a sandbox container\n";
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    return exit_refused;
  }
  prctl(PR_SET_DUMPABLE, 0);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) return exit_broken;
  }
  close_descriptors_from(STDERR_FILENO + 1);
  umask(0);
  frames_open();
  const int child_signals = take_child_signals();
  accounting_open();
  files_open(work_folder);
  static const unsigned char version = protocol_version;
  out_control(frame_ready, &version, 1);
  const struct Request request = receive_request(work_folder);
  run(&request, child_signals);
}
