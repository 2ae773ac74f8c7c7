// The wire between gantry and gantry-init, in numbers. docs/protocols/init.md is the text of it.
#pragma once

#include <stdint.h>

enum {
  protocol_version = 2,
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
  frame_keep = 'B',
  frame_boot = 'W',
  frame_go = 'G',
  frame_stdin = 'I',
  frame_stdin_end = 'Z',
  frame_signal = 'K',
  frame_terminal_size = 'T',
  // From init.
  frame_ready = 'R',
  frame_booted = 'w',
  frame_started = 'S',
  frame_stdout = 'O',
  frame_stderr = 'P',
  frame_artifact = 'N',
  frame_artifact_data = 'D',
  frame_kept = 'H',
  frame_kept_end = 'Y',
  frame_verdict = 'V',
  frame_failure = 'X',
};

// What an 'L' asks for.
enum StageFlag {
  flag_end_when_full = 1,  // otherwise output over the cap is dropped and the program runs on
  flag_stage_follows = 2,
  flag_waiting_interpreter = 4,
  flag_artifacts = 8,
  flag_terminal = 16,
  flags_known = 31,
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

// Modes of an 'F' and an 'H'.
enum FileMode { mode_plain = 0644, mode_executable = 0755, mode_folder = 040755 };

// Whether what an 'H' began is all of the folder.
enum Kept {
  kept_all = 0,
  kept_too_large = 1,
  kept_too_many = 2,
  kept_too_deep = 3,
  kept_no_folder = 4,  // none of that name that can be read
  kept_too_late = 5,
};

// What init itself exits with; the engine shows it as the container's exit code.
enum ExitCode {
  exit_done = 0,
  exit_refused = 64,  // the other side broke the protocol; an 'X' frame says how
  exit_broken = 70,   // the system refused init something; an 'X' frame says what
  exit_unheard = 74,  // nobody reads our answers any more
};

static inline uint32_t get_u16(const unsigned char* at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline uint32_t get_u32(const unsigned char* at) {
  return get_u16(at) << 16 | get_u16(at + 2);
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
