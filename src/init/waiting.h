// An interpreter that was booted ahead of its program and waits for it on its descriptor 3. It is
// no more trusted than a program: the image may bring anything.
#pragma once

#include "init/child.h"
#include "init/request.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { waiting_ends = 3 };

// Starts it. `child_signals` is a non-blocking signalfd of SIGCHLD.
void waiting_boot(const struct Request* request, int child_signals);
bool waiting_for_program(void);
// Whether one waits that runs under the limits it would need now.
bool waiting_has(const struct Limits* limits);

// What to poll for while nothing else happens, and what to do then: tells 'w', or ends init when
// the interpreter has ended.
void waiting_interest(struct pollfd* ends);
void waiting_attend(const struct pollfd* ends);

// Hands it over: from now on it is the program. `already`: it has said
// that it waits.
struct Child waiting_take(bool* already);
// Its program will not come: ends it, if there is one.
void waiting_end(void);

// The message that makes it the program, of at most handover_max bytes, is in `handover` until the
// next call.
enum { handover_max = texts_max + 64 };
extern unsigned char handover[handover_max];
size_t make_handover(const struct Request* request);
