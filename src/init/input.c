#include "init/input.h"

#include "init/fail.h"
#include "init/frames.h"
#include "init/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static struct Child* program;
static bool terminal;

// The payload of an 'I' frame on its way into the program. It stays where it was read to, so fd 0
// is not read again before it is gone: that is the backpressure.
static const unsigned char* waiting_at;
static size_t waiting_left;
static bool end_requested;
static bool requests_ended;
static bool line_unfinished;

void input_begin(struct Child* child, const struct Request* request) {
  program = child;
  terminal = (request->flags & flag_terminal) != 0;
  waiting_left = 0;
  end_requested = requests_ended = line_unfinished = false;
}

int input_waits_for_frames(void) { return requests_ended || waiting_left > 0 ? -1 : STDIN_FILENO; }

int input_waits_for_room(void) { return waiting_left > 0 ? program->stdin_fd : -1; }

void input_end(void) {
  if (program->stdin_fd >= 0) close(program->stdin_fd);
  program->stdin_fd = -1;
  waiting_left = 0;
}

// A terminal has no end that could be closed; a ^D at the beginning of a line says the same. The
// first one behind an unfinished line only sends the line off.
static void say_end(void) {
  static const unsigned char end_of_transmission[] = {4, 4};
  if (terminal && program->stdin_fd >= 0) {
    (void)!write(program->stdin_fd, end_of_transmission, line_unfinished ? 2 : 1);
  }
  input_end();
}

static void feed(void) {
  while (waiting_left > 0 && program->stdin_fd >= 0) {
    const ssize_t written = write(program->stdin_fd, waiting_at, waiting_left);
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0 && errno != EINTR) input_end();  // EPIPE: the program does not want it
    if (written <= 0) continue;
    waiting_at += written;
    waiting_left -= (size_t)written;
    line_unfinished = waiting_at[-1] != '\n';
  }
  waiting_left = 0;
  if (end_requested) say_end();
}

static void pass_signal(const struct Frame* frame) {
  if (frame->size != 4) refuse("a 'K' frame has the wrong size");
  const uint32_t number = get_u32(frame->payload);
  if (number < 1 || number >= NSIG) refuse("a 'K' frame names no signal");
  if (!program->ended) kill(-program->pid, (int)number);
}

static void resize(const struct Frame* frame) {
  const struct TerminalSize size = read_terminal_size(frame);
  if (!terminal) refuse("a 'T' frame came without a terminal");
  if (program->stdin_fd >= 0) terminal_resize(program->stdin_fd, size);
}

static void accept(const struct Frame* frame) {
  switch (frame->type) {
    case frame_stdin:
      if (end_requested) refuse("an 'I' frame came after 'Z'");
      waiting_at = frame->payload;
      waiting_left = frame->size;
      feed();
      return;
    case frame_stdin_end:
      if (frame->size != 0) refuse("a 'Z' frame has a payload");
      end_requested = true;
      feed();
      return;
    case frame_signal:
      pass_signal(frame);
      return;
    case frame_terminal_size:
      resize(frame);
      return;
    default:
      refuse("a frame of unknown type came after 'G'");
  }
}

// Handles what has been read until it is used up or the program's stdin is full.
void input_proceed(void) {
  if (waiting_left > 0) feed();
  while (waiting_left == 0) {
    struct Frame frame;
    const enum InNext next = in_next(&frame);
    if (next == in_oversized) refuse("a frame is larger than 65536 bytes");
    if (next == in_incomplete) return;
    accept(&frame);
  }
}

void input_read(void) {
  switch (in_fill()) {
    case in_failed:
      break_down("read frames", errno);
    case in_nothing:
      return;
    case in_filled:
      input_proceed();
      return;
    case in_ended:
      if (in_has_rest()) refuse("the frames end in the middle of one");
      requests_ended = true;
      end_requested = true;
      feed();
  }
}
