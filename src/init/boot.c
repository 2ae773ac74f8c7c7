#include "init/boot.h"

#include "init/accounting.h"
#include "init/fail.h"
#include "init/files.h"
#include "init/frames.h"
#include "init/request.h"
#include "init/run.h"
#include "init/sockets.h"
#include "init/waiting.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

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

void boot(const char* work_folder) {
  prctl(PR_SET_DUMPABLE, 0);
  umask(0);
  frames_open();
  const int child_signals = take_child_signals();
  accounting_open();
  sockets_open();
  files_open(work_folder);
  static const unsigned char version = protocol_version;
  out_control(frame_ready, &version, 1);
  for (;;) {
    const struct Request* request = receive_request(work_folder);
    if (request->kind == request_interpreter) {
      waiting_boot(request, child_signals);
    } else {
      run(request, child_signals);
    }
  }
}
