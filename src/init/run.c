// The program runs under a poll loop. The loop ends when the program itself ends or breaks a limit;
// what others hold open does not prolong it. Then everything is killed and reaped first and the
// rest of the output is read afterwards, when nobody can add to it any more.
#include "init/run.h"

#include "init/accounting.h"
#include "init/artifacts.h"
#include "init/child.h"
#include "init/clock.h"
#include "init/fail.h"
#include "init/frames.h"
#include "init/input.h"
#include "init/output.h"
#include "init/processes.h"
#include "init/sockets.h"
#include "init/waiting.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// For a reader that is slow but alive. Nothing of the program runs any more meanwhile.
static const int64_t farewell_ms = 5000, artifacts_farewell_ms = 10000, kept_farewell_ms = 10000;
// And so much more for what is kept: 4 MiB in a second.
static const uint64_t kept_bytes_in_ms = (4u << 20) / 1000, kept_farewell_max_ms = 600000;
static const int64_t cpu_check_min_ms = 5, cpu_check_max_ms = 100;
static const uint64_t cpu_ahead_us = 10000;
static const char artifacts_folder[] = "out", kept_folder[] = "workspace";
static const struct ArtifactLimits artifact_limits = {.files_max = 64, .bytes_max = 16u << 20};

static const struct Request* request;
static struct Child child;
static int child_signals;
static bool run_ended;
static enum Cause cause;
static int64_t started_ns, ended_ns, wall_deadline_ns, cpu_check_ns;
static bool orphans_waiting;

static void end_run(enum Cause why) {
  if (run_ended) return;
  run_ended = true;
  cause = why;
  ended_ns = now_ns();
}

static void flush_or_leave(void) {
  if (out_flush() == out_broken) leave_unheard();
}

static void reap(void) {
  orphans_waiting = reap_children(&child) == reaped_some;
  if (child.ended) end_run(WIFEXITED(child.wait_status) ? cause_exited : cause_signalled);
}

// The counter starts before the clock and counts this process as well. A program that spins alone
// under equal limits reaches both at once, and is to get one verdict each time: the wall limit's.
static uint64_t cpu_limit_us(void) {
  const struct Limits* limits = &request->limits;
  if (limits->cpu_ms == 0) return UINT64_MAX;
  return limits->cpu_ms * 1000 + (limits->cpu_ms >= limits->wall_ms ? cpu_ahead_us : 0);
}

// A program that uses all CPUs from now on would break its limit at the soonest by the next look.
static void check_cpu_time(void) {
  const int64_t now = now_ns();
  const uint64_t limit_us = cpu_limit_us();
  if (request->limits.cpu_ms == 0 || now < cpu_check_ns) return;
  const uint64_t used_us = cpu_used_us(child.ended ? 0 : child.pid);
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

static void check_sockets(void) {
  if (sockets_exceed()) end_run(cause_memory);
}

// After every wait_for_work, which wakes up for each of them.
static void check_limits(void) {
  check_wall_time();
  check_cpu_time();
  check_sockets();
}

static void wait_for_work(struct pollfd* work, nfds_t count) {
  int64_t next_ns = wall_deadline_ns;
  if (request->limits.cpu_ms != 0 && cpu_check_ns < next_ns) next_ns = cpu_check_ns;
  if (sockets_next_ns() < next_ns) next_ns = sockets_next_ns();
  const struct timespec left = time_until(orphans_waiting ? 0 : next_ns);
  const int ready = ppoll(work, count, &left, NULL);
  if (ready < 0 && errno != EINTR) break_down("wait for the program", errno);
  if (ready < 0) {
    for (nfds_t i = 0; i < count; ++i) work[i].revents = 0;
  }
}

// Excess found behind a normal end is excess all the same.
static enum Pump pump(int stream) {
  const enum Pump moved = output_pump(stream);
  if (moved != pump_exceeded) return moved;
  if (run_ended && cause <= cause_signalled) cause = output_excess_cause(stream);
  end_run(output_excess_cause(stream));
  return pump_idle;
}

static void attend_program(void) {
  enum { signals, answers, requests, input, output, errors, count };
  struct pollfd work[count] = {
      [signals] = {.fd = child_signals, .events = POLLIN},
      [answers] = {.fd = STDOUT_FILENO, .events = out_pending() ? POLLOUT : 0},
      [requests] = {.fd = input_waits_for_frames(), .events = POLLIN},
      [input] = {.fd = input_waits_for_room(), .events = POLLOUT},
      [output] = output_interest(0),
      [errors] = output_interest(1),
  };
  wait_for_work(work, count);
  if (work[answers].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
  if (work[output].revents != 0) pump(0);
  if (work[errors].revents != 0) pump(1);
  flush_or_leave();
  input_proceed();
  if (work[requests].revents != 0 && input_waits_for_frames() >= 0) input_read();
  if (work[signals].revents != 0) forget_child_signals(child_signals);
  if (work[signals].revents != 0 || orphans_waiting) reap();
  check_limits();
}

static void drain(int64_t deadline_ns) {
  while (now_ns() < deadline_ns) {
    const enum Pump output = pump(0);
    const enum Pump errors = pump(1);
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
  if (by_itself && cpu_us > cpu_limit_us()) return cause_cpu_time;
  return cause;
}

// What was cut short may have left half a file: that is nothing to be kept.
static bool ended_by_itself(uint64_t cpu_us) {
  return final_cause(cpu_us, oom_kills()) <= cause_signalled;
}

static int64_t time_for_kept_ms(void) {
  const uint64_t more_ms = request->keeping.bytes_max / kept_bytes_in_ms;
  return kept_farewell_ms +
         (int64_t)(more_ms < kept_farewell_max_ms ? more_ms : kept_farewell_max_ms);
}

static void send_kept(int64_t deadline_ns) {
  const struct ArtifactLimits limits = {.files_max = request->keeping.files_max,
                                        .bytes_max = request->keeping.bytes_max};
  folder_send(kept_folder, &limits, deadline_ns);
}

struct Ending {
  int exit_code, signal;  // the program's own, whatever the cause
  uint64_t cpu_us;
  uint32_t artifacts_skipped;
};

static uint64_t highest_memory(void) {
  const uint64_t charged = memory_peak();
  return sockets_peak() > charged ? sockets_peak() : charged;
}

static enum Cause tell_verdict(const struct Ending* ending) {
  const uint64_t kills = oom_kills();
  const enum Cause final = final_cause(ending->cpu_us, kills);
  unsigned char payload[2 + 4 + 4 + 6 * 8 + 1 + 4];
  unsigned char* at = payload;
  *at++ = protocol_version;
  *at++ = (unsigned char) final;
  at = put_u32(at, (uint32_t)ending->exit_code);
  at = put_u32(at, (uint32_t)ending->signal);
  at = put_u64(at, (uint64_t)((ended_ns - started_ns) / ns_per_us));
  at = put_u64(at, ending->cpu_us);
  at = put_u64(at, highest_memory());
  at = put_u64(at, kills);
  at = put_u64(at, output_forwarded(0));
  at = put_u64(at, output_forwarded(1));
  *at++ = (unsigned char)(output_truncated(0) | output_truncated(1) << 1);
  put_u32(at, ending->artifacts_skipped);
  out_control(frame_verdict, payload, sizeof payload);
  return final;
}

// Taking a container down keeps a processor busy that the verdict's hearers may need: they close
// their end when they are through, and have this long for it.
static _Noreturn void leave_when_heard(void) {
  enum { hearing_max_ms = 50 };
  struct pollfd requests = {.fd = STDIN_FILENO, .events = 0};
  poll(&requests, 1, hearing_max_ms);
  _exit(exit_done);
}

// Tells how it ended, and returns only if another stage follows on that.
static void finish(const struct Ending* ending, int64_t deadline_ns) {
  const enum Cause final = tell_verdict(ending);
  if (out_flush_until(deadline_ns) != out_empty) _exit(exit_unheard);
  const bool good = final == cause_exited && ending->exit_code == 0;
  if (!good || (request->flags & flag_stage_follows) == 0) leave_when_heard();
}

static void close_child(void) {
  input_end();
  output_end();
  if (child.report_fd >= 0) close(child.report_fd);
  if (child.channel_fd >= 0) close(child.channel_fd);
}

static void finish_program(void) {
  const enum Reaped reaped = end_processes(&child, child_signals);
  int64_t deadline_ns = now_ns() + farewell_ms * ns_per_ms;
  struct Ending ending = {.cpu_us = cpu_used_us(0)};
  drain(deadline_ns);
  if ((request->flags & flag_artifacts) != 0) {
    deadline_ns = now_ns() + artifacts_farewell_ms * ns_per_ms;
    ending.artifacts_skipped = artifacts_send(artifacts_folder, &artifact_limits, deadline_ns);
  }
  if (request->keeping.files_max > 0 && ended_by_itself(ending.cpu_us)) {
    deadline_ns = now_ns() + time_for_kept_ms() * ns_per_ms;
    send_kept(deadline_ns);
  }
  // Killed, but held up in the kernel beyond our patience: the signal is certain all the same.
  if (!child.ended) child.wait_status = SIGKILL;
  if (WIFEXITED(child.wait_status)) {
    ending.exit_code = WEXITSTATUS(child.wait_status);
  } else {
    ending.signal = WTERMSIG(child.wait_status);
    ending.exit_code = 128 + ending.signal;
  }
  close_child();
  finish(&ending, deadline_ns);
  // A stage shares its container with files of the one before it, never with its processes.
  if (reaped != reaped_all) break_down("end the processes of a stage", EBUSY);
}

static void finish_unstarted(const struct StartFailure* failure) {
  end_run(cause_not_started);
  end_processes(&child, child_signals);
  output_add_error(failure->sentence.bytes, failure->sentence.size);
  const struct Ending ending = {.exit_code = failure->exit_code, .cpu_us = cpu_used_us(0)};
  finish(&ending, now_ns() + farewell_ms * ns_per_ms);
}

// Until exec has happened or failed. A file system that hangs here counts as the program's time.
static enum StartReport await_start(struct StartFailure* failure) {
  while (!run_ended && child.report_fd >= 0) {
    struct pollfd work[2] = {
        {.fd = child.report_fd, .events = POLLIN},
        {.fd = STDOUT_FILENO, .events = 0},
    };
    wait_for_work(work, 2);
    if (work[1].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
    if (child_report(&child, failure) == start_failed) return start_failed;
    check_limits();
  }
  return start_done;
}

static _Noreturn void refuse_channel(void) {
  refuse("the waiting interpreter has closed its channel");
}

static void refuse_ended(void) {
  if (child.ended) refuse("the waiting interpreter ended before its program came");
}

// Until the interpreter's channel is ready or the run has ended.
static void wait_for_channel(short events) {
  struct pollfd work[3] = {
      {.fd = child.channel_fd, .events = events},
      {.fd = STDOUT_FILENO, .events = 0},
      {.fd = child_signals, .events = POLLIN},
  };
  wait_for_work(work, 3);
  if (work[1].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
  if (work[2].revents != 0) forget_child_signals(child_signals);
  if (work[2].revents != 0 || orphans_waiting) reap();
  refuse_ended();
  check_limits();
}

// Not earlier than it says that it waits: it would find nobody to say it to.
static void await_interpreter(void) {
  while (!run_ended) {
    unsigned char byte;
    const ssize_t size = read(child.channel_fd, &byte, 1);
    if (size == 1) return;
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) refuse_channel();
    wait_for_channel(POLLIN);
  }
}

// Makes the interpreter that waited the program. One that does not listen loses its own time.
static void hand_over(bool already_waits) {
  reap();
  refuse_ended();
  if (!already_waits) await_interpreter();
  const size_t size = make_handover(request);
  for (size_t sent = 0; sent < size && !run_ended;) {
    const ssize_t now = send(child.channel_fd, handover + sent, size - sent, MSG_NOSIGNAL);
    if (now >= 0) {
      sent += (size_t)now;
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) refuse_channel();
    wait_for_channel(POLLOUT);
  }
  close(child.channel_fd);
  child.channel_fd = -1;
}

// False: there is no program, and `failure` says why.
static bool start(struct StartFailure* failure) {
  bool already_waits = false;
  if ((request->flags & flag_waiting_interpreter) != 0) {
    child = waiting_take(&already_waits);
  } else {
    waiting_end();
  }
  const bool waited = child.pid > 0;
  accounting_begin(waited ? child.pid : 0);
  sockets_begin();
  started_ns = cpu_check_ns = now_ns();
  wall_deadline_ns = started_ns + (int64_t)request->limits.wall_ms * ns_per_ms;
  const bool forked = waited || child_start(request, &child, failure);
  const int outputs[output_streams] = {child.stdout_fd, child.stderr_fd};
  output_begin(outputs, request);
  input_begin(&child, request);
  if (!forked || await_start(failure) == start_failed) return false;
  if (waited) hand_over(already_waits);
  return true;
}

void run(const struct Request* asked, int signals) {
  request = asked;
  child = no_child;
  child_signals = signals;
  run_ended = orphans_waiting = false;
  struct StartFailure failure;
  if (!start(&failure)) {
    finish_unstarted(&failure);
    return;
  }
  if (!run_ended) out_control(frame_started, NULL, 0);
  flush_or_leave();
  input_proceed();
  while (!run_ended) attend_program();
  finish_program();
}
