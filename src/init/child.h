// The program as a process.
#pragma once

#include "init/request.h"
#include "init/text.h"

#include <sys/types.h>

// Our ends of the program's pipes; all non-blocking and close-on-exec.
struct Child {
  pid_t pid;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int report_fd;  // see child_report
};

enum StartReport { start_pending, start_done, start_failed };

// Why a program did not start: what a shell would exit with, and a sentence ending in a newline.
struct StartFailure {
  int exit_code;  // 127: not found; 126: anything else
  struct Text sentence;
};

// Forks. False: it could not, and `failure` says why.
bool child_start(const struct Request* request, struct Child* child, struct StartFailure* failure);

// Reads what the child had to report between fork and exec. The report pipe is close-on-exec, so
// its end without a word means that the program runs.
enum StartReport child_report(struct Child* child, const struct Request* request,
                              struct StartFailure* failure);
