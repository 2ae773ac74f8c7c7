// What goes to the program while it runs: its input, its signals, the size of its terminal.
#pragma once

#include "init/child.h"
#include "init/request.h"

#include <stdbool.h>

// `child` is the program for as long as it is not marked as ended.
void input_begin(struct Child* child, const struct Request* request);
// The descriptor to wait for frames at, and the one to wait for room at; -1 when there is none.
int input_waits_for_frames(void);
int input_waits_for_room(void);
// Goes on with whatever is there: bytes for the program, then frames that were read already.
void input_proceed(void);
// Reads fd 0.
void input_read(void);
void input_end(void);
