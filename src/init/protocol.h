// The wire between gantry and gantry-init, in numbers. docs/protocols/init.md is the text of it.
#pragma once

#include <stdint.h>

enum {
  protocol_version = 1,
  frame_header_size = 5,
  payload_max = 65536,
};

enum FrameType {
  // To init.
  frame_limits = 'L',
  frame_argument = 'A',
  frame_environment = 'E',
  frame_work_folder = 'C',
  frame_file = 'F',
  frame_file_data = 'D',
  frame_go = 'G',
  frame_stdin = 'I',
  frame_stdin_end = 'Z',
  frame_signal = 'K',
  // From init.
  frame_ready = 'R',
  frame_started = 'S',
  frame_stdout = 'O',
  frame_stderr = 'P',
  frame_verdict = 'V',
  frame_failure = 'X',
};

enum Cause {
  cause_exited = 0,
  cause_signalled = 1,
  cause_wall_time = 2,
  cause_cpu_time = 3,
  cause_memory = 4,
  cause_stdout = 5,
  cause_stderr = 6,
  cause_not_started = 7,
};

// What init itself exits with; the engine shows it as the container's exit code.
enum ExitCode {
  exit_done = 0,
  exit_refused = 64,  // the other side broke the protocol; an 'X' frame says how
  exit_broken = 70,   // the system refused init something; an 'X' frame says what
  exit_unheard = 74,  // nobody reads our answers any more
};

static inline uint32_t get_u32(const unsigned char* at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t get_u64(const unsigned char* at) {
  return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

static inline unsigned char* put_u32(unsigned char* at, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = (unsigned char)(value >> shift);
  return at;
}

static inline unsigned char* put_u64(unsigned char* at, uint64_t value) {
  return put_u32(put_u32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}
