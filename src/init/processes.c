#include "init/processes.h"

#include "init/clock.h"
#include "init/fail.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

// The killed need a moment to die, mostly to give their memory back.
static const int64_t reaping_ms = 2000;

// The program, and orphans whose parent died before them. Bounded, or a program that makes orphans
// faster than we take them would keep us from its limits.
enum Reaped reap_children(struct Child* child) {
  const int batch = 256;
  for (int taken = 0; taken < batch; ++taken) {
    int status;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0) return reaped_all;
    if (pid == 0) return reaped_ended;
    if (pid != child->pid) continue;
    child->ended = true;
    child->wait_status = status;
  }
  return reaped_some;
}

void forget_child_signals(int child_signals) {
  struct signalfd_siginfo info;
  (void)!read(child_signals, &info, sizeof info);
}

enum Reaped end_processes(struct Child* child, int child_signals) {
  const int64_t deadline_ns = now_ns() + reaping_ms * ns_per_ms;
  kill_everything();
  for (;;) {
    const enum Reaped reaped = reap_children(child);
    if (reaped == reaped_all || now_ns() >= deadline_ns) return reaped;
    struct pollfd signals = {.fd = child_signals, .events = POLLIN};
    poll(&signals, 1, 10);
    forget_child_signals(child_signals);
    kill_everything();
  }
}
