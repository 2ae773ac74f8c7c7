// Frames in (fd 0) and frames out (fd 1). Both sides have one static buffer each; nothing grows.
#pragma once

#include "init/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Frame {
  unsigned char type;
  uint32_t size;
  const unsigned char* payload;  // borrowed until the next in_fill()
};

enum InFill { in_filled, in_nothing, in_ended, in_failed };
enum InNext { in_frame, in_incomplete, in_oversized };
enum OutFlush { out_empty, out_blocked, out_broken };

// Makes fds 1 and 2 non-blocking and touches the buffers, so that no page of them has to be found
// when the program has used up the container's memory.
void frames_open(void);

// One read of fd 0. Frames handed out before it are gone afterwards.
enum InFill in_fill(void);
enum InNext in_next(struct Frame* frame);
// True when bytes of an unfinished frame are waiting.
bool in_has_rest(void);

// How many payload bytes of program output fit now (0: flush first). Control frames have a reserve
// of their own, so they always fit.
size_t out_room(void);
// Where that payload is to be written, followed by out_commit.
unsigned char* out_payload(void);
void out_commit(enum FrameType type, size_t size);

void out_control(enum FrameType type, const void* payload, size_t size);

bool out_pending(void);
enum OutFlush out_flush(void);
// Flushes until everything is written, the reader is gone or the moment has come.
enum OutFlush out_flush_until(int64_t deadline_ns);
