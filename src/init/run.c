// The program runs under a poll loop. The loop ends when the program itself ends or breaks a limit;
// what others hold open does not prolong it. Then everything is killed and reaped first and the
// rest of the output is read afterwards, when nobody can add to it any more.
#include "init/run.h"

#include "init/accounting.h"
#include "init/child.h"
#include "init/clock.h"
#include "init/fail.h"
#include "init/frames.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

// The killed need a moment to die, mostly to give their memory back.
static const int64_t reaping_ms = 2000;
// For a reader that is slow but alive. Nothing of the program runs any more meanwhile.
static const int64_t farewell_ms = 5000;
static const int64_t cpu_check_min_ms = 5, cpu_check_max_ms = 100;

struct Stream {
  enum FrameType type;
  enum Cause cause_when_full;
  int fd;  // -1: ended
  bool full;
  uint64_t forwarded;
};

static struct Limits limits;
static struct Child child;
static int child_signals;
static int wait_status;
static bool program_reaped;
static bool run_ended;
static enum Cause cause;
static int64_t started_ns, ended_ns, wall_deadline_ns, cpu_check_ns;
static struct Stream streams[2] = {
    {.type = frame_stdout, .cause_when_full = cause_stdout, .fd = -1},
    {.type = frame_stderr, .cause_when_full = cause_stderr, .fd = -1},
};

// The payload of an 'I' frame on its way into the program. It stays where it was read to, so fd 0
// is not read again before it is gone: that is the backpressure.
static const unsigned char* stdin_at;
static size_t stdin_left;
static bool stdin_end_requested;
static bool requests_ended;
static bool orphans_waiting;

static void end_run(enum Cause why) {
  if (run_ended) return;
  run_ended = true;
  cause = why;
  ended_ns = now_ns();
}

static void close_stdin(void) {
  if (child.stdin_fd >= 0) close(child.stdin_fd);
  child.stdin_fd = -1;
  stdin_left = 0;
}

static void feed_stdin(void) {
  while (stdin_left > 0 && child.stdin_fd >= 0) {
    const ssize_t written = write(child.stdin_fd, stdin_at, stdin_left);
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0 && errno != EINTR) close_stdin();  // EPIPE: the program does not want it
    if (written < 0) continue;
    stdin_at += written;
    stdin_left -= (size_t)written;
  }
  stdin_left = 0;
  if (stdin_end_requested) close_stdin();
}

static void pass_signal(const struct Frame* frame) {
  if (frame->size != 4) refuse("a 'K' frame has the wrong size");
  const uint32_t number = get_u32(frame->payload);
  if (number < 1 || number >= NSIG) refuse("a 'K' frame names no signal");
  if (!program_reaped) kill(-child.pid, (int)number);
}

static void accept(const struct Frame* frame) {
  switch (frame->type) {
    case frame_stdin:
      if (stdin_end_requested) refuse("an 'I' frame came after 'Z'");
      stdin_at = frame->payload;
      stdin_left = frame->size;
      feed_stdin();
      return;
    case frame_stdin_end:
      if (frame->size != 0) refuse("a 'Z' frame has a payload");
      stdin_end_requested = true;
      feed_stdin();
      return;
    case frame_signal:
      pass_signal(frame);
      return;
    default:
      refuse("a frame of unknown type came after 'G'");
  }
}

// Handles what has been read until it is used up or the program's stdin is full.
static void accept_frames(void) {
  while (stdin_left == 0) {
    struct Frame frame;
    const enum InNext next = in_next(&frame);
    if (next == in_oversized) refuse("a frame is larger than 65536 bytes");
    if (next == in_incomplete) return;
    accept(&frame);
  }
}

static void read_frames(void) {
  switch (in_fill()) {
    case in_failed:
      break_down("read frames", errno);
    case in_nothing:
      return;
    case in_filled:
      accept_frames();
      return;
    case in_ended:
      if (in_has_rest()) refuse("the frames end in the middle of one");
      requests_ended = true;
      stdin_end_requested = true;
      feed_stdin();
  }
}

enum Pump { pump_moved, pump_idle };

// Moves one read's worth. Reads one byte past the cap: the only way to tell a program that wrote
// exactly its cap from one that wrote more.
static enum Pump pump(struct Stream* stream) {
  size_t room = out_room();
  if (stream->fd < 0 || stream->full || room == 0) return pump_idle;
  const uint64_t left = limits.output_bytes - stream->forwarded;
  if (left < room) room = (size_t)left + 1;
  const ssize_t size = read(stream->fd, out_payload(), room);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return pump_idle;
  if (size <= 0) {
    close(stream->fd);
    stream->fd = -1;
    return pump_idle;
  }
  // Left open: closing it would end the program by SIGPIPE before we end it by SIGKILL.
  stream->full = (uint64_t)size > left;
  const size_t forwarded = stream->full ? (size_t)left : (size_t)size;
  if (forwarded > 0) out_commit(stream->type, forwarded);
  stream->forwarded += forwarded;
  if (stream->full) {
    if (run_ended && cause <= cause_signalled) cause = stream->cause_when_full;
    end_run(stream->cause_when_full);
  }
  return pump_moved;
}

static void flush_or_leave(void) {
  if (out_flush() == out_broken) leave_unheard();
}

enum Reaped { reaped_all, reaped_ended, reaped_some };

// Takes the children that have ended: the program, and orphans whose parent died before them.
// Bounded (`reaped_some`: there may be more), or a program that makes orphans faster than we take
// them would keep us from its limits.
static enum Reaped reap(void) {
  const int batch = 256;
  for (int taken = 0; taken < batch; ++taken) {
    int status;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0) return reaped_all;
    if (pid == 0) return reaped_ended;
    if (pid != child.pid) continue;
    program_reaped = true;
    wait_status = status;
    end_run(WIFEXITED(status) ? cause_exited : cause_signalled);
  }
  return reaped_some;
}

// One read, not until empty: anybody in the namespace may send us SIGCHLD without end.
static void forget_child_signals(void) {
  struct signalfd_siginfo info;
  (void)!read(child_signals, &info, sizeof info);
}

// A program that uses all CPUs from now on would break its limit at the soonest by the next look.
static void check_cpu_time(void) {
  const int64_t now = now_ns();
  if (limits.cpu_ms == 0 || now < cpu_check_ns) return;
  const uint64_t limit_us = limits.cpu_ms * 1000;
  const uint64_t used_us = cpu_used_us(program_reaped ? 0 : child.pid);
  if (used_us >= limit_us) {
    end_run(cause_cpu_time);
    return;
  }
  int64_t pause_ms = (int64_t)((limit_us - used_us) / 1000 / usable_cpus());
  if (pause_ms < cpu_check_min_ms) pause_ms = cpu_check_min_ms;
  if (pause_ms > cpu_check_max_ms) pause_ms = cpu_check_max_ms;
  cpu_check_ns = now + pause_ms * ns_per_ms;
}

static void check_wall_time(void) {
  if (now_ns() >= wall_deadline_ns) end_run(cause_wall_time);
}

static void wait_for_work(struct pollfd* work, nfds_t count) {
  int64_t next_ns = wall_deadline_ns;
  if (limits.cpu_ms != 0 && cpu_check_ns < next_ns) next_ns = cpu_check_ns;
  const struct timespec left = time_until(orphans_waiting ? 0 : next_ns);
  const int ready = ppoll(work, count, &left, NULL);
  if (ready < 0 && errno != EINTR) break_down("wait for the program", errno);
  if (ready < 0) {
    for (nfds_t i = 0; i < count; ++i) work[i].revents = 0;
  }
}

static void attend_program(void) {
  enum { signals, answers, requests, input, output, errors, count };
  const bool room = out_room() > 0;
  struct pollfd work[count] = {
      [signals] = {.fd = child_signals, .events = POLLIN},
      [answers] = {.fd = STDOUT_FILENO, .events = out_pending() ? POLLOUT : 0},
      [requests] = {.fd = requests_ended || stdin_left > 0 ? -1 : STDIN_FILENO, .events = POLLIN},
      [input] = {.fd = stdin_left > 0 ? child.stdin_fd : -1, .events = POLLOUT},
      [output] = {.fd = room ? streams[0].fd : -1, .events = POLLIN},
      [errors] = {.fd = room ? streams[1].fd : -1, .events = POLLIN},
  };
  wait_for_work(work, count);
  if (work[answers].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
  if (work[output].revents != 0) pump(&streams[0]);
  if (work[errors].revents != 0) pump(&streams[1]);
  flush_or_leave();
  if (work[input].revents != 0) feed_stdin();
  if (stdin_left == 0) accept_frames();
  if (work[requests].revents != 0 && stdin_left == 0) read_frames();
  if (work[signals].revents != 0) forget_child_signals();
  if (work[signals].revents != 0 || orphans_waiting) orphans_waiting = reap() == reaped_some;
  check_wall_time();
  check_cpu_time();
}

static void kill_and_reap(void) {
  const int64_t deadline_ns = now_ns() + reaping_ms * ns_per_ms;
  kill_everything();
  while (reap() != reaped_all && now_ns() < deadline_ns) {
    struct pollfd signals = {.fd = child_signals, .events = POLLIN};
    poll(&signals, 1, 10);
    forget_child_signals();
    kill_everything();
  }
}

static void drain(int64_t deadline_ns) {
  for (;;) {
    const enum Pump output = pump(&streams[0]);
    const enum Pump errors = pump(&streams[1]);
    if (out_room() == 0) {
      const enum OutFlush flushed = out_flush_until(deadline_ns);
      if (flushed == out_broken) leave_unheard();
      if (flushed == out_blocked) return;
    } else if (output == pump_idle && errors == pump_idle) {
      return;
    }
  }
}

// What was found out after the end of the run. An OOM kill explains a run whatever it looked like:
// a program that lost a worker to it may exit normally, or wait for the worker until its wall
// limit.
static enum Cause final_cause(uint64_t cpu_us, uint64_t kills) {
  if (kills > 0 && cause != cause_not_started) return cause_memory;
  const bool by_itself = cause == cause_exited || cause == cause_signalled;
  if (by_itself && limits.cpu_ms != 0 && cpu_us > limits.cpu_ms * 1000) return cause_cpu_time;
  return cause;
}

// `exit_code` and `signal` are the program's own, whatever the cause.
static void tell_verdict(int exit_code, int signal) {
  const uint64_t cpu_us = cpu_used_us(0);
  const uint64_t kills = oom_kills();
  unsigned char payload[2 + 4 + 4 + 6 * 8];
  unsigned char* at = payload;
  *at++ = protocol_version;
  *at++ = (unsigned char)final_cause(cpu_us, kills);
  at = put_u32(at, (uint32_t)exit_code);
  at = put_u32(at, (uint32_t)signal);
  at = put_u64(at, (uint64_t)((ended_ns - started_ns) / ns_per_us));
  at = put_u64(at, cpu_us);
  at = put_u64(at, memory_peak());
  at = put_u64(at, kills);
  at = put_u64(at, streams[0].forwarded);
  at = put_u64(at, streams[1].forwarded);
  out_control(frame_verdict, payload, sizeof payload);
}

static _Noreturn void finish(int64_t deadline_ns) {
  _exit(out_flush_until(deadline_ns) == out_empty ? exit_done : exit_unheard);
}

static _Noreturn void finish_program(void) {
  kill_and_reap();
  const int64_t deadline_ns = now_ns() + farewell_ms * ns_per_ms;
  drain(deadline_ns);
  // Killed, but held up in the kernel beyond our patience: the signal is certain all the same.
  if (!program_reaped) wait_status = SIGKILL;
  if (WIFEXITED(wait_status)) {
    tell_verdict(WEXITSTATUS(wait_status), 0);
  } else {
    tell_verdict(128 + WTERMSIG(wait_status), WTERMSIG(wait_status));
  }
  finish(deadline_ns);
}

static _Noreturn void finish_unstarted(const struct StartFailure* failure) {
  end_run(cause_not_started);
  kill_and_reap();
  size_t size = failure->sentence.size;
  if (size > limits.output_bytes) size = (size_t)limits.output_bytes;
  if (size > 0) out_control(frame_stderr, failure->sentence.bytes, size);
  streams[1].forwarded = size;
  tell_verdict(failure->exit_code, 0);
  finish(now_ns() + farewell_ms * ns_per_ms);
}

// Until exec has happened or failed. A file system that hangs here counts as the program's time.
static void await_start(const struct Request* request) {
  while (!run_ended) {
    struct pollfd work[2] = {
        {.fd = child.report_fd, .events = POLLIN},
        {.fd = STDOUT_FILENO, .events = 0},
    };
    wait_for_work(work, 2);
    if (work[1].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
    struct StartFailure failure;
    switch (child_report(&child, request, &failure)) {
      case start_failed:
        finish_unstarted(&failure);
      case start_done:
        return;
      case start_pending:
        check_wall_time();
    }
  }
}

void run(const struct Request* request, int signals) {
  limits = request->limits;
  child_signals = signals;
  accounting_begin();
  started_ns = cpu_check_ns = now_ns();
  wall_deadline_ns = started_ns + (int64_t)limits.wall_ms * ns_per_ms;
  struct StartFailure failure;
  if (!child_start(request, &child, &failure)) finish_unstarted(&failure);
  streams[0].fd = child.stdout_fd;
  streams[1].fd = child.stderr_fd;
  await_start(request);
  if (!run_ended) out_control(frame_started, NULL, 0);
  flush_or_leave();
  accept_frames();
  while (!run_ended) attend_program();
  finish_program();
}
