#include "init/child.h"

#include "init/descriptors.h"
#include "init/execute.h"
#include "init/files.h"
#include "init/protocol.h"
#include "init/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

const struct Child no_child = {
    .pid = -1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .channel_fd = -1, .report_fd = -1};

enum Step { step_descriptors, step_work_folder, step_execute };

enum { ours, theirs, ends };
enum { input, output, errors, channel, report, pair_count };

static void describe(const struct Request* request, enum Step step, int error,
                     struct StartFailure* failure) {
  const char* thing = request->arguments[0];
  const char* verb = "cannot start program ";
  if (step == step_work_folder) {
    thing = request->sub_folder != NULL ? request->sub_folder : request->work_folder;
    verb = "cannot enter working directory ";
  }
  const bool missing = error == ENOENT || error == ENOTDIR;
  failure->exit_code = step == step_execute && missing ? 127 : 126;
  failure->sentence = (struct Text){.size = 0};
  text_add(&failure->sentence, verb);
  text_quote(&failure->sentence, thing, strlen(thing));
  text_add(&failure->sentence, ": ");
  text_add(&failure->sentence, strerror(error));
  text_add(&failure->sentence, "\n");
}

// In the child only.
static _Noreturn void report_and_leave(const struct Request* request, int report_fd,
                                       enum Step step) {
  struct StartFailure failure;
  memset(&failure, 0, sizeof failure);
  describe(request, step, errno, &failure);
  (void)!write(report_fd, &failure, sizeof failure);
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

static void limit_files(uint64_t bytes) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return;
  if (limit.rlim_max > bytes) limit.rlim_max = bytes;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
}

// Follows links where it meets them: it goes nowhere that the program could not go itself.
static bool enter_folder(const struct Request* request) {
  if (chdir(request->work_folder) != 0) return false;
  if (request->sub_folder == NULL) return true;
  char path[path_max + 1];
  strcpy(path, request->sub_folder);
  for (char* name = strtok(path, "/"); name != NULL; name = strtok(NULL, "/")) {
    if (mkdir(name, 0755) != 0 && errno != EEXIST) return false;
    if (chdir(name) != 0) return false;
  }
  return true;
}

// Puts everything to its number and closes the rest. First out of the way with what is to stay:
// it may sit where something else is to go.
static int place_descriptors(int pairs[][ends], bool terminal) {
  enum { high = 8, first_free = STDERR_FILENO + 1 };
  const bool has_channel = pairs[channel][theirs] >= 0;
  const int report_slot = has_channel ? first_free + 1 : first_free;
  const int reporting = fcntl(pairs[report][theirs], F_DUPFD_CLOEXEC, high);
  const int talking = has_channel ? fcntl(pairs[channel][theirs], F_DUPFD_CLOEXEC, high) : -1;
  if (reporting < 0 || (has_channel && talking < 0)) return -1;
  if (terminal && !terminal_control(pairs[input][theirs])) return -1;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (dup2(pairs[input + fd][theirs], fd) < 0) return -1;
  }
  if (has_channel && dup2(talking, first_free) < 0) return -1;
  if (dup3(reporting, report_slot, O_CLOEXEC) < 0) return -1;
  close_descriptors_from(report_slot + 1);
  return report_slot;
}

static _Noreturn void become_program(const struct Request* request, int pairs[][ends]) {
  setsid();
  const bool terminal = (request->flags & flag_terminal) != 0;
  const int report_fd = place_descriptors(pairs, terminal);
  if (report_fd < 0) report_and_leave(request, pairs[report][theirs], step_descriptors);
  volunteer_for_oom_kill();
  reset_signals();
  if (!enter_folder(request)) report_and_leave(request, report_fd, step_work_folder);
  umask(request->limits.umask);
  limit_files(request->limits.file_bytes);
  environ = request->environment;  // execute searches the PATH of the program, not of init
  execute(request->arguments);
  report_and_leave(request, report_fd, step_execute);
}

static void close_pairs(int pairs[][ends], int end) {
  for (int i = 0; i < pair_count; ++i) {
    if (pairs[i][end] >= 0) close(pairs[i][end]);
    pairs[i][end] = -1;
  }
}

static bool open_pipe(int pair[ends], int direction_of_ours) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return false;
  pair[ours] = fds[direction_of_ours];
  pair[theirs] = fds[1 - direction_of_ours];
  return true;
}

// Each with a descriptor of its own, so that all of them are closed alike.
static bool open_terminal_pairs(const struct Request* request, int pairs[][ends]) {
  if (!terminal_open(request->terminal, &pairs[input][ours], &pairs[input][theirs])) return false;
  pairs[output][ours] = fcntl(pairs[input][ours], F_DUPFD_CLOEXEC, 0);
  pairs[output][theirs] = fcntl(pairs[input][theirs], F_DUPFD_CLOEXEC, 0);
  pairs[errors][theirs] = fcntl(pairs[input][theirs], F_DUPFD_CLOEXEC, 0);
  return pairs[output][ours] >= 0 && pairs[output][theirs] >= 0 && pairs[errors][theirs] >= 0;
}

static bool open_pairs(const struct Request* request, int pairs[][ends]) {
  enum { reading, writing };
  for (int i = 0; i < pair_count; ++i) pairs[i][ours] = pairs[i][theirs] = -1;
  if (!open_pipe(pairs[report], reading)) return false;
  if ((request->flags & flag_terminal) != 0) return open_terminal_pairs(request, pairs);
  if (request->kind == request_interpreter &&
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[channel]) != 0) {
    return false;
  }
  return open_pipe(pairs[input], writing) && open_pipe(pairs[output], reading) &&
         open_pipe(pairs[errors], reading);
}

static void make_nonblocking(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool child_start(const struct Request* request, struct Child* child, struct StartFailure* failure) {
  int pairs[pair_count][ends];
  *child = no_child;
  if (open_pairs(request, pairs)) child->pid = fork();
  if (child->pid == 0) become_program(request, pairs);
  const int error = errno;
  close_pairs(pairs, theirs);
  if (child->pid < 0) {
    describe(request, step_descriptors, error, failure);
    close_pairs(pairs, ours);
    return false;
  }
  for (int i = 0; i < pair_count; ++i) make_nonblocking(pairs[i][ours]);
  child->stdin_fd = pairs[input][ours];
  child->stdout_fd = pairs[output][ours];
  child->stderr_fd = pairs[errors][ours];
  child->channel_fd = pairs[channel][ours];
  child->report_fd = pairs[report][ours];
  return true;
}

enum StartReport child_report(struct Child* child, struct StartFailure* failure) {
  const ssize_t size = read(child->report_fd, failure, sizeof *failure);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return start_pending;
  close(child->report_fd);
  child->report_fd = -1;
  return size == sizeof *failure ? start_failed : start_done;
}
