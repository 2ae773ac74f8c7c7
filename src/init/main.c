// gantry-init: PID 1 of a sandbox container. It receives a program over fd 0, runs it, and tells
// over fd 1 what it wrote and how it ended. docs/protocols/init.md is its contract.
//
// The program runs under the same user, so everything here is written against it: init can not be
// traced or looked into (non-dumpable), shares no descriptor with it, takes no signal from it but a
// pointless SIGCHLD, believes nothing it writes, and allocates nothing while it runs.
#include "init/boot.h"
#include "init/descriptors.h"
#include "init/protocol.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

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
  boot(work_folder);
}
