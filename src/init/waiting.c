#include "init/waiting.h"

#include "init/fail.h"
#include "init/frames.h"
#include "init/processes.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { starting_end, channel_end, signals_end };

static struct Child interpreter;
static struct Limits interpreter_limits;
static int signals;
static bool waits, booted;

unsigned char handover[handover_max];

static _Noreturn void fail_to_boot(const struct StartFailure* failure) {
  struct Text sentence = failure->sentence;
  if (sentence.size > 0) --sentence.size;  // its newline
  fail(exit_broken, &sentence);
}

void waiting_boot(const struct Request* request, int child_signals) {
  struct StartFailure failure;
  if (!child_start(request, &interpreter, &failure)) fail_to_boot(&failure);
  interpreter_limits = request->limits;
  signals = child_signals;
  waits = true;
}

bool waiting_for_program(void) { return waits; }

bool waiting_has(const struct Limits* limits) {
  return waits && limits->file_bytes == interpreter_limits.file_bytes &&
         limits->umask == interpreter_limits.umask;
}

void waiting_interest(struct pollfd* ends) {
  ends[starting_end] = (struct pollfd){.fd = waits ? interpreter.report_fd : -1, .events = POLLIN};
  ends[channel_end] = (struct pollfd){.fd = waits ? interpreter.channel_fd : -1, .events = POLLIN};
  ends[signals_end] = (struct pollfd){.fd = waits ? signals : -1, .events = POLLIN};
}

static void hear_interpreter(void) {
  unsigned char byte;
  const ssize_t size = read(interpreter.channel_fd, &byte, 1);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size != 1) refuse("the waiting interpreter has closed its channel");
  if (booted) refuse("the waiting interpreter said too much");
  booted = true;
  static const unsigned char ready = 1;
  out_control(frame_booted, &ready, 1);
}

void waiting_attend(const struct pollfd* ends) {
  // First, whatever was ready: a start that failed also looks like an end and a closed channel.
  struct StartFailure failure;
  if (waits && interpreter.report_fd >= 0 && child_report(&interpreter, &failure) == start_failed) {
    fail_to_boot(&failure);
  }
  if (ends[signals_end].revents != 0) {
    forget_child_signals(signals);
    reap_children(&interpreter);
    if (interpreter.ended) refuse("the waiting interpreter ended before its program came");
  }
  if (ends[channel_end].revents != 0) hear_interpreter();
}

struct Child waiting_take(bool* already) {
  *already = booted;
  waits = false;
  return interpreter;
}

static void close_if_open(int fd) {
  if (fd >= 0) close(fd);
}

void waiting_end(void) {
  if (!waits) return;
  waits = false;
  if (end_processes(&interpreter, signals) != reaped_all) {
    break_down("end the waiting interpreter", EBUSY);
  }
  close_if_open(interpreter.stdin_fd);
  close_if_open(interpreter.stdout_fd);
  close_if_open(interpreter.stderr_fd);
  close_if_open(interpreter.report_fd);
  close_if_open(interpreter.channel_fd);
}

static unsigned char* put_text(unsigned char* at, const char* text) {
  const size_t size = strlen(text) + 1;
  memcpy(at, text, size);
  return at + size;
}

// `count` is at most four digits.
static unsigned char* put_list(unsigned char* at, char** items) {
  unsigned count = 0;
  while (items[count] != NULL) ++count;
  char digits[8] = {0};
  size_t place = sizeof digits - 1;
  do digits[--place] = (char)('0' + count % 10);
  while ((count /= 10) > 0);
  at = put_text(at, digits + place);
  for (; *items != NULL; ++items) at = put_text(at, *items);
  return at;
}

size_t make_handover(const struct Request* request) {
  unsigned char* end = put_list(handover + 4, request->arguments);
  end = put_list(end, request->environment);
  put_u32(handover, (uint32_t)(end - handover - 4));
  return (size_t)(end - handover);
}
