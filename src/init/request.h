// What is to be run: the frames before 'G', checked and collected.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct Limits {
  uint64_t wall_ms;
  uint64_t cpu_ms;        // 0: none
  uint64_t output_bytes;  // per stream
  mode_t umask;
};

struct Request {
  struct Limits limits;
  char** arguments;    // NULL-terminated, at least one item
  char** environment;  // NULL-terminated
  const char* work_folder;
};

// Reads frames until 'G'. Leaves init when they are wrong or the other side goes away.
struct Request receive_request(const char* work_folder);
