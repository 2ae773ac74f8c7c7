// gantry-ender: ends the session of one process in the pid namespace that it was put into. It runs
// in a container of its own beside one that has no shell, and knows the process by a mark in its
// environment. What it says is its exit code.
//
// Usage: gantry-ender NAME=value SIGNAL [SESSION]: first that signal, and when somebody is left,
// KILL. Whose session is known need not have its mark any more.
#include "ender/processes.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

enum { exit_ended = 0, exit_refused = 10, exit_not_found = 11, exit_not_ended = 12 };

// The first signal has so long to be heeded, and the killed so long to go.
enum { pause_ms = 50, grace_rounds = 8, rounds = 100 };

struct Search {
  const char* mark;
  pid_t known;  // 0: nobody knows
  pid_t session;
};

// The process that the engine started leads its session, and has no parent in this namespace. It
// may have lost its mark, and a daemon that it has left may have it: that one is not meant.
static bool look(const struct Process* process, void* with) {
  struct Search* search = with;
  if (process->pid != process->session || process->parent != 0) return true;
  if (search->known == process->session ||
      (search->known == 0 && !process->dead && has_mark(process->pid, search->mark))) {
    search->session = process->session;
    return false;
  }
  return true;
}

struct Round {
  pid_t session;
  int signal;
  int found;
};

static bool strike(const struct Process* process, void* with) {
  struct Round* round = with;
  if (process->dead || process->session != round->session) return true;
  ++round->found;
  if (round->signal == 0) return true;
  kill(process->pid, round->signal);
  if (round->signal != SIGKILL) kill(process->pid, SIGCONT);
  return true;
}

static int found_with(pid_t session, int signal) {
  struct Round round = {.session = session, .signal = signal};
  for_each_process(strike, &round);
  return round.found;
}

static void rest(void) {
  const struct timespec pause = {.tv_nsec = pause_ms * 1000000L};
  // tidy: sleep because this program has no loop, and does nothing else
  nanosleep(&pause, NULL);
}

// -1: it is none, or none of a process or a signal.
static long number_of(const char* text) {
  char* end = NULL;
  const long number = strtol(text, &end, 10);
  return *text == '\0' || *end != '\0' || number < 1 || number > INT_MAX ? -1 : number;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return exit_refused;
  const long first = number_of(argv[2]);
  const long known = argc == 4 ? number_of(argv[3]) : 0;
  if (*argv[1] == '\0' || first < 1 || first >= SIGRTMIN || known < 0) return exit_refused;
  struct Search search = {.mark = argv[1], .known = (pid_t)known};
  for_each_process(look, &search);
  if (search.session == 0) return exit_not_found;
  if (found_with(search.session, (int)first) == 0) return exit_ended;
  for (int round = 0; round < rounds; ++round) {
    rest();
    if (found_with(search.session, round < grace_rounds ? 0 : SIGKILL) == 0) return exit_ended;
  }
  return exit_not_ended;
}
