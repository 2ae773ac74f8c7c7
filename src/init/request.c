#include "init/request.h"

#include "init/fail.h"
#include "init/files.h"
#include "init/frames.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
  items_max = 1024,
  arena_size = 256 * 1024,
  limits_size = 1 + 8 + 8 + 8 + 4,
  file_head_size = 4 + 8,
};

static const uint64_t limit_ms_max = 7ull * 24 * 60 * 60 * 1000;

struct List {
  char* items[items_max + 1];
  size_t size;
};

static char arena[arena_size];
static size_t arena_used;
static struct List arguments, environment;
static struct Request request;
static bool has_limits;

// A terminated copy that lives as long as init.
static char* keep(const struct Frame* frame) {
  if (memchr(frame->payload, '\0', frame->size) != NULL) {
    refuse("an argument, variable or folder contains a NUL byte");
  }
  if (frame->size + 1 > arena_size - arena_used) {
    refuse("arguments and variables are larger than 256 KiB together");
  }
  char* copy = arena + arena_used;
  memcpy(copy, frame->payload, frame->size);
  copy[frame->size] = '\0';
  arena_used += frame->size + 1;
  return copy;
}

static void append(struct List* list, const struct Frame* frame) {
  if (list->size == items_max) refuse("there are more than 1024 arguments or variables");
  list->items[list->size++] = keep(frame);
}

static void accept_limits(const struct Frame* frame) {
  if (has_limits) refuse("a second 'L' frame came");
  if (frame->size != limits_size) refuse("an 'L' frame has the wrong size");
  const unsigned char* at = frame->payload;
  if (at[0] != protocol_version) refuse("an 'L' frame has a version this init does not speak");
  const uint32_t umask = get_u32(at + 25);
  request.limits = (struct Limits){.wall_ms = get_u64(at + 1),
                                   .cpu_ms = get_u64(at + 9),
                                   .output_bytes = get_u64(at + 17),
                                   .umask = (mode_t)umask};
  if (request.limits.wall_ms == 0 || request.limits.wall_ms > limit_ms_max) {
    refuse("the wall time limit is not between 1 ms and 7 days");
  }
  if (request.limits.cpu_ms > limit_ms_max) refuse("the CPU time limit is above 7 days");
  if (umask > 0777) refuse("the umask is above 0777");
  has_limits = true;
}

static void accept_variable(const struct Frame* frame) {
  const unsigned char* equals = memchr(frame->payload, '=', frame->size);
  if (equals == NULL || equals == frame->payload) refuse("an 'E' frame is not of the form K=V");
  append(&environment, frame);
}

static void accept_work_folder(const struct Frame* frame) {
  if (frame->size == 0 || frame->payload[0] != '/') refuse("the working directory is not absolute");
  request.work_folder = keep(frame);
}

static void accept_file(const struct Frame* frame) {
  if (frame->size < file_head_size) refuse("an 'F' frame is too short");
  file_begin(get_u32(frame->payload), get_u64(frame->payload + 4),
             (const char*)frame->payload + file_head_size, frame->size - file_head_size);
}

static void accept_go(const struct Frame* frame) {
  if (frame->size != 0) refuse("a 'G' frame has a payload");
  if (arguments.size == 0) refuse("'G' came before any argument");
  request.arguments = arguments.items;
  request.environment = environment.items;
}

// False once 'G' was accepted.
static bool accept(const struct Frame* frame) {
  if (!has_limits && frame->type != frame_limits) refuse("the first frame is not 'L'");
  if (file_unfinished() && frame->type != frame_file_data) {
    refuse("a file is shorter than announced");
  }
  switch (frame->type) {
    case frame_limits:
      accept_limits(frame);
      return true;
    case frame_argument:
      append(&arguments, frame);
      return true;
    case frame_environment:
      accept_variable(frame);
      return true;
    case frame_work_folder:
      accept_work_folder(frame);
      return true;
    case frame_file:
      accept_file(frame);
      return true;
    case frame_file_data:
      file_append(frame->payload, frame->size);
      return true;
    case frame_go:
      accept_go(frame);
      return false;
    default:
      refuse("a frame of unknown type came before 'G'");
  }
}

// Costs nothing while a warm container waits for its program, be it for hours.
static void wait_for_bytes(void) {
  for (;;) {
    struct pollfd ends[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = STDOUT_FILENO, .events = out_pending() ? POLLOUT : 0},
    };
    if (poll(ends, 2, -1) < 0 && errno != EINTR) break_down("wait for frames", errno);
    if (ends[1].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
    if (out_flush() == out_broken) leave_unheard();
    if (ends[0].revents != 0) return;
  }
}

struct Request receive_request(const char* work_folder) {
  request.work_folder = work_folder;
  for (;;) {
    struct Frame frame;
    switch (in_next(&frame)) {
      case in_oversized:
        refuse("a frame is larger than 65536 bytes");
      case in_frame:
        if (!accept(&frame)) return request;
        continue;
      case in_incomplete:
        break;
    }
    wait_for_bytes();
    switch (in_fill()) {
      case in_ended:
        if (in_has_rest()) refuse("the frames end in the middle of one");
        leave_unheard();
      case in_failed:
        break_down("read frames", errno);
      case in_filled:
      case in_nothing:
        break;
    }
  }
}
