#pragma once

#include "base/error.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/program.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the server and gantry-init say to each other (docs/protocols/init.md). No I/O here.
namespace gantry::sandbox::init {

inline constexpr std::uint8_t version = 2;
inline constexpr std::size_t payload_max = 64U << 10U;
inline constexpr std::size_t head_size = 5;
/// Modes of files that travel.
inline constexpr std::uint32_t mode_plain = 0644;
inline constexpr std::uint32_t mode_executable = 0755;
inline constexpr std::uint32_t mode_folder = 040755;
/// What gantry-init sends of /box/out at most.
inline constexpr std::size_t artifacts_max = 64;
inline constexpr std::uint64_t artifact_bytes_max = 16U << 20U;

struct Frame {
  char type;
  std::string payload;
};

/// A frame whose payload lies in somebody else's bytes.
struct FrameView {
  char type;
  std::string_view payload;
};
/// The frame at the beginning of `bytes`; nothing when it is not whole, or too large.
std::optional<FrameView> first_frame(std::string_view bytes);
void append_frame(std::string& out, char type, std::string_view payload);

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

/// An interpreter that is booted before anybody knows its program.
struct Boot {
  std::vector<std::string> command;
  /// Over the image's variables and ours; its program comes with an environment of its own.
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::string> image_env;
  Bytes file = Policy{}.file;  ///< The largest file it may write, for good.
};
std::string encode_boot(const Boot& boot);

/// Whether a stage starts its command or gives it to the interpreter that waits.
enum class Start { fresh, waiting };

/// Everything of the program up to and including `G`: limits, command, environment, folder, files
/// and workspace (where no compilation brought them). The program sees the image's variables
/// (`NAME=value`), ours over them and its own over those.
std::string encode_run(const Execution& execution, const std::vector<std::string>& image_env,
                       Start start);
/// The same for its compilation, which must be there.
std::string encode_compilation(const Execution& execution,
                               const std::vector<std::string>& image_env);
/// Bytes of the program's standard input, its end, and what else somebody may do to it meanwhile.
std::string encode_input(std::string_view input);
std::string encode_end_of_input();
std::string encode_signal(int signal);
std::string encode_resize(int rows, int columns);

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
  bool output_truncated = false;
  bool errors_truncated = false;
  std::uint32_t artifacts_skipped = 0;
};

/// Refuses another version, an unknown cause and impossible times.
Result<Report> decode_report(std::string_view payload);

/// The beginning of a file that is sent (`F`) or comes back to be kept (`H`).
struct FileHead {
  std::uint32_t mode;
  std::uint64_t size;
  std::string path;  ///< As it came: unchecked.
};
Result<FileHead> decode_file_head(std::string_view payload);
void append_file_head(std::string& out, const FileHead& head);

/// The end of a workspace.
struct KeptEnd {
  int result;  ///< 0: that was all of it; else why not (docs/protocols/init.md).
  std::uint32_t left_out;
};
Result<KeptEnd> decode_kept_end(std::string_view payload);

/// The beginning of an artifact.
struct ArtifactHead {
  std::uint64_t size;
  std::string path;  ///< As the program named it: unchecked.
};
Result<ArtifactHead> decode_artifact_head(std::string_view payload);

}  // namespace gantry::sandbox::init
