#include "init/output.h"

#include "init/frames.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct Stream {
  enum FrameType type;
  int fd;  // -1: ended
  bool truncated;
  uint64_t forwarded;
};

static struct Stream streams[output_streams];
// Touched before the program starts, for it may use up the container's memory.
static unsigned char dropped[16384];
static uint64_t cap;
static bool ends_when_full;

void output_begin(const int fds[output_streams], const struct Request* request) {
  cap = request->limits.output_bytes;
  ends_when_full = (request->flags & flag_end_when_full) != 0;
  if (!ends_when_full) memset(dropped, 1, sizeof dropped);
  streams[0] = (struct Stream){.type = frame_stdout, .fd = fds[0]};
  streams[1] = (struct Stream){.type = frame_stderr, .fd = fds[1]};
}

struct pollfd output_interest(int number) {
  const struct Stream* stream = &streams[number];
  const bool wanted = stream->truncated ? !ends_when_full : out_room() > 0;
  return (struct pollfd){.fd = wanted ? stream->fd : -1, .events = POLLIN};
}

static void end_stream(struct Stream* stream) {
  if (stream->fd >= 0) close(stream->fd);
  stream->fd = -1;
}

// Nothing was moved: it may be the end. A terminal ends with EIO.
static enum Pump note_end(struct Stream* stream, ssize_t size) {
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return pump_idle;
  end_stream(stream);
  return pump_idle;
}

static enum Pump drop(struct Stream* stream) {
  const ssize_t size = read(stream->fd, dropped, sizeof dropped);
  return size > 0 ? pump_moved : note_end(stream, size);
}

// Reads one byte past the cap: the only way to tell a program that wrote exactly its cap from one
// that wrote more. Where that ends the run the pipe stays open: closing it would end the program by
// SIGPIPE before we end it by SIGKILL.
enum Pump output_pump(int number) {
  struct Stream* stream = &streams[number];
  if (stream->fd < 0) return pump_idle;
  if (stream->truncated) return ends_when_full ? pump_idle : drop(stream);
  size_t room = out_room();
  if (room == 0) return pump_idle;
  const uint64_t left = cap - stream->forwarded;
  if (left < room) room = (size_t)left + 1;
  const ssize_t size = read(stream->fd, out_payload(), room);
  if (size <= 0) return note_end(stream, size);
  stream->truncated = (uint64_t)size > left;
  const size_t forwarded = stream->truncated ? (size_t)left : (size_t)size;
  if (forwarded > 0) out_commit(stream->type, forwarded);
  stream->forwarded += forwarded;
  return stream->truncated && ends_when_full ? pump_exceeded : pump_moved;
}

enum Cause output_excess_cause(int number) { return number == 0 ? cause_stdout : cause_stderr; }

void output_add_error(const char* bytes, size_t size) {
  struct Stream* stream = &streams[1];
  if (size > cap) size = (size_t)cap;
  if (size > 0) out_control(stream->type, bytes, size);
  stream->forwarded += size;
}

void output_end(void) {
  for (int i = 0; i < output_streams; ++i) end_stream(&streams[i]);
}

uint64_t output_forwarded(int number) { return streams[number].forwarded; }

bool output_truncated(int number) { return streams[number].truncated; }
