#include "init/frames.h"

#include "init/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
  in_capacity = frame_header_size + payload_max,
  // Two full frames: one on its way out while the next is being filled.
  output_capacity = 2 * (frame_header_size + payload_max),
  // Every control frame of a run together: 'R', 'S', one start failure, then 'V' or 'X'.
  control_reserve = 4096,
  out_capacity = output_capacity + control_reserve,
};

static unsigned char in_bytes[in_capacity];
static size_t in_begin, in_end;

static unsigned char out_bytes[out_capacity];
static size_t out_begin, out_end;

static void make_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void frames_open(void) {
  memset(in_bytes, 1, sizeof in_bytes);
  memset(out_bytes, 1, sizeof out_bytes);
  make_nonblocking(STDOUT_FILENO);
  make_nonblocking(STDERR_FILENO);
}

enum InFill in_fill(void) {
  memmove(in_bytes, in_bytes + in_begin, in_end - in_begin);
  in_end -= in_begin;
  in_begin = 0;
  const ssize_t size = read(STDIN_FILENO, in_bytes + in_end, sizeof in_bytes - in_end);
  if (size < 0) return errno == EINTR || errno == EAGAIN ? in_nothing : in_failed;
  if (size == 0) return in_ended;
  in_end += (size_t)size;
  return in_filled;
}

enum InNext in_next(struct Frame* frame) {
  const unsigned char* at = in_bytes + in_begin;
  const size_t waiting = in_end - in_begin;
  if (waiting < frame_header_size) return in_incomplete;
  const uint32_t size = get_u32(at + 1);
  if (size > payload_max) return in_oversized;
  if (waiting < frame_header_size + (size_t)size) return in_incomplete;
  *frame = (struct Frame){.type = at[0], .size = size, .payload = at + frame_header_size};
  in_begin += frame_header_size + (size_t)size;
  return in_frame;
}

bool in_has_rest(void) { return in_begin != in_end; }

static void compact(void) {
  memmove(out_bytes, out_bytes + out_begin, out_end - out_begin);
  out_end -= out_begin;
  out_begin = 0;
}

size_t out_room(void) {
  if (out_end + frame_header_size + payload_max > output_capacity) compact();
  if (out_end + frame_header_size >= output_capacity) return 0;
  const size_t room = output_capacity - out_end - frame_header_size;
  return room < payload_max ? room : payload_max;
}

unsigned char* out_payload(void) { return out_bytes + out_end + frame_header_size; }

void out_commit(enum FrameType type, size_t size) {
  out_bytes[out_end] = (unsigned char)type;
  put_u32(out_bytes + out_end + 1, (uint32_t)size);
  out_end += frame_header_size + size;
}

void out_control(enum FrameType type, const void* payload, size_t size) {
  compact();
  if (size + frame_header_size > out_capacity - out_end) return;
  if (size > 0) memcpy(out_payload(), payload, size);
  out_commit(type, size);
}

bool out_pending(void) { return out_begin != out_end; }

enum OutFlush out_flush(void) {
  while (out_pending()) {
    const ssize_t size = write(STDOUT_FILENO, out_bytes + out_begin, out_end - out_begin);
    if (size >= 0) {
      out_begin += (size_t)size;
    } else if (errno == EAGAIN) {
      return out_blocked;
    } else if (errno != EINTR) {
      return out_broken;
    }
  }
  out_begin = out_end = 0;
  return out_empty;
}

enum OutFlush out_flush_until(int64_t deadline_ns) {
  for (;;) {
    const enum OutFlush flushed = out_flush();
    if (flushed != out_blocked || now_ns() >= deadline_ns) return flushed;
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
    const struct timespec left = time_until(deadline_ns);
    ppoll(&reader, 1, &left, NULL);
  }
}
