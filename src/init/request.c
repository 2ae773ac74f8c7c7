#include "init/request.h"

#include "init/fail.h"
#include "init/files.h"
#include "init/frames.h"
#include "init/waiting.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
  items_max = 1024,
  limits_size = 1 + 4 * 8 + 4 + 1,
  boot_size = 8 + 4,
  file_head_size = 4 + 8,
  keep_size = 8 + 4,
};

static const uint64_t limit_ms_max = 7ull * 24 * 60 * 60 * 1000;
static const uint64_t file_bytes_max = INT64_MAX;

struct List {
  char* items[items_max + 1];
  size_t size;
};

static char arena[texts_max];
static size_t arena_used;
static struct List arguments, environment;
static struct Request request;
static bool has_limits;
static bool begun;  // a frame of this request has come
static int stages_done;

// A terminated copy that lives until the next request.
static char* keep(const struct Frame* frame) {
  if (memchr(frame->payload, '\0', frame->size) != NULL) {
    refuse("an argument, variable or folder contains a NUL byte");
  }
  if (frame->size + 1 > sizeof arena - arena_used) {
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
  list->items[list->size] = NULL;
}

static void accept_file_limits(uint64_t file_bytes, uint32_t umask) {
  if (file_bytes == 0 || file_bytes > file_bytes_max) {
    refuse("the file size limit is not between 1 and 2^63 - 1 bytes");
  }
  if (umask > 0777) refuse("the umask is above 0777");
  request.limits.file_bytes = file_bytes;
  request.limits.umask = (mode_t)umask;
}

// An interpreter that waits has its pipes, its folder and its limits from its start.
static void accept_flags(unsigned flags) {
  if ((flags & ~(unsigned)flags_known) != 0)
    refuse("an 'L' frame has a flag this init does not know");
  request.flags = flags;
  if ((flags & flag_waiting_interpreter) == 0) return;
  if ((flags & flag_terminal) != 0) refuse("a waiting interpreter can not get a terminal");
  if (!waiting_has(&request.limits)) {
    refuse("no interpreter waits with this file size limit and umask");
  }
}

static void accept_limits(const struct Frame* frame) {
  if (has_limits) refuse("a second 'L' frame came");
  if (begun) refuse("an 'L' frame came behind arguments or variables");
  if (frame->size != limits_size) refuse("an 'L' frame has the wrong size");
  const unsigned char* at = frame->payload;
  if (at[0] != protocol_version) refuse("an 'L' frame has a version this init does not speak");
  request.limits = (struct Limits){
      .wall_ms = get_u64(at + 1), .cpu_ms = get_u64(at + 9), .output_bytes = get_u64(at + 17)};
  if (request.limits.wall_ms == 0 || request.limits.wall_ms > limit_ms_max) {
    refuse("the wall time limit is not between 1 ms and 7 days");
  }
  if (request.limits.cpu_ms > limit_ms_max) refuse("the CPU time limit is above 7 days");
  accept_file_limits(get_u64(at + 25), get_u32(at + 33));
  accept_flags(at[37]);
  has_limits = true;
}

static void accept_variable(const struct Frame* frame) {
  const unsigned char* equals = memchr(frame->payload, '=', frame->size);
  if (equals == NULL || equals == frame->payload) refuse("an 'E' frame is not of the form K=V");
  append(&environment, frame);
}

static void accept_work_folder(const struct Frame* frame) {
  if ((request.flags & flag_waiting_interpreter) != 0) {
    refuse("a waiting interpreter is in its working directory already");
  }
  const char* folder = keep(frame);
  if (folder[0] == '/') {
    request.work_folder = folder;
    request.sub_folder = NULL;
    return;
  }
  if (fault_of_path(folder, frame->size) != NULL) {
    refuse("the working directory is neither absolute nor plainly below the work folder");
  }
  request.sub_folder = folder;
}

static void accept_file(const struct Frame* frame) {
  if (!has_limits) refuse("an 'F' frame came before 'L'");
  if (frame->size < file_head_size) refuse("an 'F' frame is too short");
  file_begin(get_u32(frame->payload), get_u64(frame->payload + 4),
             (const char*)frame->payload + file_head_size, frame->size - file_head_size);
}

static void accept_keep(const struct Frame* frame) {
  if (!has_limits) refuse("a 'B' frame came before 'L'");
  if (frame->size != keep_size) refuse("a 'B' frame has the wrong size");
  request.keeping = (struct Keeping){.bytes_max = get_u64(frame->payload),
                                     .files_max = get_u32(frame->payload + 8)};
  if (request.keeping.files_max == 0) refuse("a 'B' frame asks for no files");
}

struct TerminalSize read_terminal_size(const struct Frame* frame) {
  if (frame->size != 4) refuse("a 'T' frame has the wrong size");
  return (struct TerminalSize){.rows = (unsigned short)get_u16(frame->payload),
                               .columns = (unsigned short)get_u16(frame->payload + 2)};
}

static void accept_terminal_size(const struct Frame* frame) {
  if ((request.flags & flag_terminal) == 0) refuse("a 'T' frame came without a terminal");
  request.terminal = read_terminal_size(frame);
}

static void complete(enum RequestKind kind) {
  if (arguments.size == 0) refuse("'G' or 'W' came before any argument");
  request.kind = kind;
  request.arguments = arguments.items;
  request.environment = environment.items;
}

static void accept_go(const struct Frame* frame) {
  if (frame->size != 0) refuse("a 'G' frame has a payload");
  if (!has_limits) refuse("'G' came before 'L'");
  complete(request_stage);
}

static void accept_boot(const struct Frame* frame) {
  if (has_limits) refuse("a 'W' frame came behind 'L'");
  if (stages_done > 0 || waiting_for_program()) refuse("a 'W' frame came too late");
  if (frame->size != boot_size) refuse("a 'W' frame has the wrong size");
  accept_file_limits(get_u64(frame->payload), get_u32(frame->payload + 8));
  complete(request_interpreter);
}

// Input for a stage that had ended by the time it came.
static bool is_left_over(const struct Frame* frame) {
  return stages_done > 0 && !begun && memchr("IZKT", frame->type, 4) != NULL;
}

// False once 'G' or 'W' was accepted.
static bool accept(const struct Frame* frame) {
  if (is_left_over(frame)) return true;
  if (file_unfinished() && frame->type != frame_file_data) {
    refuse("a file is shorter than announced");
  }
  switch (frame->type) {
    case frame_limits:
      accept_limits(frame);
      break;
    case frame_argument:
      append(&arguments, frame);
      break;
    case frame_environment:
      accept_variable(frame);
      break;
    case frame_work_folder:
      accept_work_folder(frame);
      break;
    case frame_file:
      accept_file(frame);
      break;
    case frame_file_data:
      file_append(frame->payload, frame->size);
      break;
    case frame_terminal_size:
      accept_terminal_size(frame);
      break;
    case frame_keep:
      accept_keep(frame);
      break;
    case frame_boot:
      accept_boot(frame);
      return false;
    case frame_go:
      accept_go(frame);
      return false;
    default:
      refuse("a frame of unknown type came before 'G'");
  }
  begun = true;
  return true;
}

// Costs nothing while a warm container waits for its program, be it for hours.
static void wait_for_bytes(void) {
  for (;;) {
    struct pollfd ends[2 + waiting_ends] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = STDOUT_FILENO, .events = out_pending() ? POLLOUT : 0},
    };
    waiting_interest(ends + 2);
    if (poll(ends, 2 + waiting_ends, -1) < 0) {
      if (errno != EINTR) break_down("wait for frames", errno);
      continue;
    }
    if (ends[1].revents & (POLLERR | POLLHUP | POLLNVAL)) leave_unheard();
    waiting_attend(ends + 2);
    if (out_flush() == out_broken) leave_unheard();
    if (ends[0].revents != 0) return;
  }
}

// Whoever wanted one stage more than it now does simply goes.
static _Noreturn void leave_without_request(void) {
  if (in_has_rest()) refuse("the frames end in the middle of one");
  if (stages_done == 0 || begun || waiting_for_program()) leave_unheard();
  _exit(exit_done);
}

const struct Request* receive_request(const char* work_folder) {
  request = (struct Request){.work_folder = work_folder};
  arguments.size = environment.size = arena_used = 0;
  arguments.items[0] = environment.items[0] = NULL;
  has_limits = begun = false;
  for (;;) {
    struct Frame frame;
    switch (in_next(&frame)) {
      case in_oversized:
        refuse("a frame is larger than 65536 bytes");
      case in_frame:
        if (accept(&frame)) continue;
        if (request.kind == request_stage) ++stages_done;
        return &request;
      case in_incomplete:
        break;
    }
    wait_for_bytes();
    switch (in_fill()) {
      case in_ended:
        leave_without_request();
      case in_failed:
        break_down("read frames", errno);
      case in_filled:
      case in_nothing:
        break;
    }
  }
}
