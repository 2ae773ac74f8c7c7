// What the program writes, on its way to the frames.
#pragma once

#include "init/protocol.h"
#include "init/request.h"

#include <poll.h>
#include <stdbool.h>

enum { output_streams = 2 };
enum Pump { pump_idle, pump_moved, pump_exceeded };

// `fds` are the streams' descriptors, -1 for one there is not.
void output_begin(const int fds[output_streams], const struct Request* request);
struct pollfd output_interest(int stream);
// Moves one read's worth. pump_exceeded: the run is to end, for it wrote more than allowed.
enum Pump output_pump(int stream);
enum Cause output_excess_cause(int stream);
// As if the program had written it to stderr, up to the cap.
void output_add_error(const char* bytes, size_t size);
void output_end(void);

uint64_t output_forwarded(int stream);
bool output_truncated(int stream);
