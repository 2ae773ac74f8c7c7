#pragma once

#include "base/error.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/program.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the server and gantry-init say to each other (docs/protocols/init.md). No I/O here.
namespace gantry::sandbox::init {

inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t payload_max = 64U << 10U;

struct Frame {
  char type;
  std::string payload;
};

/// Bytes in, frames out. What comes from a container is attacker data: a frame over the size
/// limit is an error, and nothing is allocated by a length that was only announced.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole frame; nothing yet; or an error after which the stream is worthless.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t at_ = 0;
};

/// Everything up to and including `G`: limits, command, environment, folder, files. The program
/// sees the image's variables (`NAME=value`), ours over them and its own over those.
std::string encode_program(const Program& program, const Policy& policy,
                           const std::vector<std::string>& image_env);
/// The program's standard input and its end.
std::string encode_input(std::string_view input);

/// Why the program ended, in the numbers of the protocol.
enum class Cause : std::uint8_t {
  exited = 0,
  signalled = 1,
  wall_time = 2,
  cpu_time = 3,
  memory = 4,
  stdout_cap = 5,
  stderr_cap = 6,
  not_started = 7,
};

/// gantry-init's verdict. It comes from where the program ran: a hint with plausible numbers.
struct Report {
  Cause cause;
  int exit_code;
  int signal;
  Microseconds wall_time;
  Microseconds cpu_time;
  std::uint64_t memory_peak_bytes;
};

/// Refuses another version, an unknown cause and impossible times.
Result<Report> decode_report(std::string_view payload);

}  // namespace gantry::sandbox::init
