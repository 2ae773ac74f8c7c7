// What is to be run: the frames before 'G' or 'W', checked and collected.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Arguments, variables and folders together.
enum { texts_max = 256 * 1024 };

struct Limits {
  uint64_t wall_ms;
  uint64_t cpu_ms;        // 0: none
  uint64_t output_bytes;  // per stream
  uint64_t file_bytes;    // the largest file
  mode_t umask;
};

struct TerminalSize {
  unsigned short rows, columns;
};

// What of the folder `workspace` is to be sent when the program has ended; no files_max: nothing.
struct Keeping {
  uint64_t bytes_max;
  uint32_t files_max;  // folders count
};

enum RequestKind {
  request_stage,        // 'G': run this
  request_interpreter,  // 'W': boot this, and wait
};

struct Request {
  enum RequestKind kind;
  struct Limits limits;  // with request_interpreter: only file_bytes and umask
  unsigned flags;        // of enum StageFlag
  char** arguments;      // NULL-terminated, at least one item
  char** environment;    // NULL-terminated
  const char* work_folder;
  const char* sub_folder;  // below it, made when missing; NULL: none
  struct TerminalSize terminal;
  struct Keeping keeping;
};

// Reads frames until 'G' or 'W'. Leaves init when they are wrong or the other side goes away; both
// may do so after a stage, and then it is no failure. What it answers holds until the next call.
const struct Request* receive_request(const char* work_folder);
// 'T': also comes while a program runs.
struct Frame;
struct TerminalSize read_terminal_size(const struct Frame* frame);
