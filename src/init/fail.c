#include "init/fail.h"

#include "init/clock.h"
#include "init/frames.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int64_t farewell_ms = 2000;

void kill_everything(void) { kill(-1, SIGKILL); }

void fail(enum ExitCode code, const struct Text* sentence) {
  kill_everything();
  out_control(frame_failure, sentence->bytes, sentence->size);
  // A full or closed stderr is no reason to wait: the frame carries the same words.
  if (write(STDERR_FILENO, sentence->bytes, sentence->size) >= 0) {
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  out_flush_until(now_ns() + farewell_ms * ns_per_ms);
  _exit(code);
}

void refuse(const char* sentence) {
  struct Text text = {.size = 0};
  text_add(&text, sentence);
  fail(exit_refused, &text);
}

void break_down(const char* what, int error) {
  struct Text text = {.size = 0};
  text_add(&text, "cannot ");
  text_add(&text, what);
  text_add(&text, ": ");
  text_add(&text, strerror(error));
  fail(exit_broken, &text);
}

void leave_unheard(void) {
  kill_everything();
  _exit(exit_unheard);
}
