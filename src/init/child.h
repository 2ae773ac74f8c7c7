// The program as a process.
#pragma once

#include "init/request.h"
#include "init/text.h"

#include <stdbool.h>
#include <sys/types.h>

// Our ends of the program's descriptors; all non-blocking and close-on-exec, -1 when there is none.
struct Child {
  pid_t pid;
  bool ended;  // and reaped, so that its pid is nobody's
  int wait_status;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int channel_fd;  // to a waiting interpreter's descriptor 3
  int report_fd;   // see child_report
};

extern const struct Child no_child;

enum StartReport { start_pending, start_done, start_failed };

// Why a program did not start: what a shell would exit with, and a sentence ending in a newline.
struct StartFailure {
  int exit_code;  // 127: not found; 126: anything else
  struct Text sentence;
};

// Forks. False: it could not, and `failure` says why. `request` holds until child_report is done.
bool child_start(const struct Request* request, struct Child* child, struct StartFailure* failure);

// Reads what the child had to report between fork and exec. The report pipe is close-on-exec, so
// its end without a word means that the program runs.
enum StartReport child_report(struct Child* child, struct StartFailure* failure);
