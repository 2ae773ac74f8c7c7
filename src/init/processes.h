// The processes of the container: all of them are ours to reap, and to end.
#pragma once

#include "init/child.h"

// `reaped_all`: there are no more. `reaped_some`: there may be more to take at once.
enum Reaped { reaped_all, reaped_ended, reaped_some };

// Takes the children that have ended, and notes it when `child` is one of them.
enum Reaped reap_children(struct Child* child);
// One read, not until empty: anybody in the namespace may send us SIGCHLD without end.
void forget_child_signals(int child_signals);
// Kills and reaps everything; at most 2 s. Answers reaped_all if nothing is left.
enum Reaped end_processes(struct Child* child, int child_signals);
