#pragma once

// Runs the built gantry-init as PID 1 of a namespace of its own and speaks frames to it.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace gantry::init_test {

/// One frame as it goes over the wire.
std::string frame(char type, std::string_view payload = {});
std::string u32(std::uint32_t value);
std::string u64(std::uint64_t value);

/// What an 'L' may ask for.
enum Flag : std::uint8_t {
  truncate = 0,
  end_when_full = 1,
  stage_follows = 2,
  waiting_interpreter = 4,
  artifacts = 8,
  terminal = 16,
};

struct Limits {
  std::uint64_t wall_ms = 20'000;
  std::uint64_t cpu_ms = 0;
  std::uint64_t output_bytes = 1'000'000;
  std::uint64_t file_bytes = 100'000'000;
  std::uint32_t umask = 022;
  std::uint8_t flags = end_when_full;
};

std::string limits_frame(const Limits& limits = {});
std::string file_frame(std::uint32_t mode, std::uint64_t size, std::string_view path);
/// 'L', 'E' PATH and the 'A' frames: everything but 'G'.
std::string program(const std::vector<std::string>& arguments, const Limits& limits = {});
/// The 'E', 'A' and 'W' frames of an interpreter that is to wait.
std::string boot(const std::vector<std::string>& arguments, const Limits& limits = {});

struct Verdict {
  int cause = -1;
  int exit_code = -1;
  int signal = -1;
  std::uint64_t wall_us = 0;
  std::uint64_t cpu_us = 0;
  std::uint64_t memory_peak = 0;
  std::uint64_t oom_kills = 0;
  std::uint64_t stdout_bytes = 0;
  std::uint64_t stderr_bytes = 0;
  int truncated = -1;  ///< 1 stdout, 2 stderr
  std::uint64_t artifacts_skipped = 0;
};

struct Artifact {
  std::string path;
  std::uint64_t size = 0;
  std::string content;
};

/// A file or folder of the work folder `workspace`.
struct KeptFile {
  std::uint32_t mode = 0;
  std::uint64_t size = 0;
  std::string path;
  std::string content = {};
};

struct KeptEnd {
  int result = -1;  ///< 0 all, 1 too large, 2 too many, 3 too deep, 4 no folder, 5 too late
  std::uint64_t left_out = 0;
};

struct Outcome {
  std::string types;  ///< the frame types in order, runs of 'O' and of 'P' shown once
  std::string out;
  std::string err;
  std::string failure;             ///< the text of 'X'
  std::optional<Verdict> verdict;  ///< the last one
  std::vector<Verdict> verdicts;   ///< of every stage
  std::vector<Artifact> artifacts;
  std::vector<KeptFile> kept;
  std::optional<KeptEnd> kept_end;
  int init_exit_code = -1;  ///< -1: init was killed by a signal
  std::chrono::milliseconds elapsed{0};
  std::chrono::microseconds cpu_time{0};  ///< of init and of what it has reaped
};

/// One init in its own pid and mount namespace, as a user without capabilities. The folder that
/// stands for its /sys/fs/cgroup is empty until a test writes counters into it.
class Init {
 public:
  Init();
  Init(const Init&) = delete;
  Init& operator=(const Init&) = delete;
  ~Init();

  /// Why no init can be started here; empty when it can. Asked by every test before anything else.
  static std::string why_unavailable();

  void write_counter(std::string_view name, std::string_view content);
  void start();
  /// Writes in full, however slowly init takes it; false when init is gone.
  bool send(std::string_view bytes);
  void end_input();
  /// Stops reading answers, as a client that went away does.
  void stop_listening();
  /// Lets the time pass without reading answers.
  void ignore_answers(std::chrono::milliseconds time);
  /// Waits until the program has printed `text` on stdout.
  bool wait_for_output(std::string_view text);
  /// Waits until a frame of this type has come.
  bool wait_for_frame(char type);
  /// Everything up to init's end, at most 100 s.
  Outcome finish();
  Outcome finish_after(std::string_view bytes);
  /// The same for an init that was started already.
  Outcome finish_sent(std::string_view bytes);

  std::filesystem::path box() const { return folder_ / "box"; }
  std::filesystem::path folder() const { return folder_; }
  std::string probe() const { return (folder_ / "probe").string(); }

 private:
  bool read_some(std::chrono::milliseconds patience);
  void parse();
  void reap();

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int requests_ = -1;
  int answers_ = -1;
  std::string received_;
  Outcome outcome_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace gantry::init_test
