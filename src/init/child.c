#include "init/child.h"

#include "init/descriptors.h"
#include "init/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

enum Stage { stage_descriptors, stage_work_folder, stage_execute };

struct Report {
  enum Stage stage;
  int error;
};

enum { read_end, write_end, ends };

// In the child only.
static _Noreturn void report_and_leave(int report_fd, enum Stage stage) {
  const struct Report report = {.stage = stage, .error = errno};
  (void)!write(report_fd, &report, sizeof report);
  _exit(127);
}

static void reset_signals(void) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// When memory runs out the program shall go before init, which has to tell about it. The file is
// writable only for a dumpable process, and by now this one holds nothing worth protecting.
static void volunteer_for_oom_kill(void) {
  prctl(PR_SET_DUMPABLE, 1);
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!write(fd, "1000", 4);
  close(fd);
}

static _Noreturn void become_program(const struct Request* request, int pipes[][ends],
                                     int report_fd) {
  enum { report_slot = 3 };
  setsid();
  const bool placed = dup2(pipes[0][read_end], STDIN_FILENO) >= 0 &&
                      dup2(pipes[1][write_end], STDOUT_FILENO) >= 0 &&
                      dup2(pipes[2][write_end], STDERR_FILENO) >= 0 &&
                      (report_fd == report_slot || dup3(report_fd, report_slot, O_CLOEXEC) >= 0);
  if (!placed) report_and_leave(report_fd, stage_descriptors);
  close_descriptors_from(report_slot + 1);
  volunteer_for_oom_kill();
  reset_signals();
  umask(request->limits.umask);
  if (chdir(request->work_folder) != 0) report_and_leave(report_slot, stage_work_folder);
  environ = request->environment;  // execute searches the PATH of the program, not of init
  execute(request->arguments);
  report_and_leave(report_slot, stage_execute);
}

static void describe(const struct Request* request, struct Report report,
                     struct StartFailure* failure) {
  const char* thing = request->arguments[0];
  const char* verb = "cannot start program ";
  if (report.stage == stage_work_folder) {
    thing = request->work_folder;
    verb = "cannot enter working directory ";
  }
  const bool missing = report.error == ENOENT || report.error == ENOTDIR;
  failure->exit_code = report.stage == stage_execute && missing ? 127 : 126;
  failure->sentence = (struct Text){.size = 0};
  text_add(&failure->sentence, verb);
  text_quote(&failure->sentence, thing, strlen(thing));
  text_add(&failure->sentence, ": ");
  text_add(&failure->sentence, strerror(report.error));
  text_add(&failure->sentence, "\n");
}

static void close_pipes(int pipes[][ends], int count) {
  for (int i = 0; i < count; ++i) {
    close(pipes[i][read_end]);
    close(pipes[i][write_end]);
  }
}

static int keep_end(int fd, int other) {
  close(other);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

bool child_start(const struct Request* request, struct Child* child, struct StartFailure* failure) {
  enum { pipe_count = 4, report_pipe = 3 };
  int pipes[pipe_count][ends];
  for (int i = 0; i < pipe_count; ++i) {
    if (pipe2(pipes[i], O_CLOEXEC) == 0) continue;
    describe(request, (struct Report){.stage = stage_descriptors, .error = errno}, failure);
    close_pipes(pipes, i);
    return false;
  }
  child->pid = fork();
  if (child->pid == 0) become_program(request, pipes, pipes[report_pipe][write_end]);
  if (child->pid < 0) {
    describe(request, (struct Report){.stage = stage_descriptors, .error = errno}, failure);
    close_pipes(pipes, pipe_count);
    return false;
  }
  child->stdin_fd = keep_end(pipes[0][write_end], pipes[0][read_end]);
  child->stdout_fd = keep_end(pipes[1][read_end], pipes[1][write_end]);
  child->stderr_fd = keep_end(pipes[2][read_end], pipes[2][write_end]);
  child->report_fd = keep_end(pipes[report_pipe][read_end], pipes[report_pipe][write_end]);
  return true;
}

enum StartReport child_report(struct Child* child, const struct Request* request,
                              struct StartFailure* failure) {
  struct Report report;
  const ssize_t size = read(child->report_fd, &report, sizeof report);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return start_pending;
  close(child->report_fd);
  child->report_fd = -1;
  if (size != sizeof report) return start_done;
  describe(request, report, failure);
  return start_failed;
}
