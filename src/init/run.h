// One stage: from 'G' to the verdict.
#pragma once

#include "init/request.h"

// `child_signals` is a non-blocking signalfd of SIGCHLD. Tells everything in frames. Returns when
// another stage follows, and exits otherwise.
void run(const struct Request* request, int child_signals);
