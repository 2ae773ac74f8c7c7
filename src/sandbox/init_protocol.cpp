#include "sandbox/init_protocol.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace gantry::sandbox::init {
namespace {

constexpr std::uint32_t umask_usual = 022;
// No program of ours runs or computes for a year; what claims so is no time, and sums of it would
// overflow.
constexpr std::uint64_t microseconds_max = 365ULL * 24 * 3'600 * 1'000'000;

template <class Number>
void append(std::string& out, Number number) {
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i) & 0xFFU);
  }
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

void append_data(std::string& out, char type, std::string_view data) {
  for (; !data.empty(); data.remove_prefix(std::min(data.size(), payload_max))) {
    append_frame(out, type, data.substr(0, payload_max));
  }
}

/// What an `L` asks for.
enum Flag : std::uint8_t {
  end_when_full = 1,
  stage_follows = 2,
  waiting_interpreter = 4,
  artifacts = 8,
  terminal = 16,
};

struct Times {
  Milliseconds wall;
  Milliseconds cpu;
};

std::string limits_payload(const Policy& policy, Times times, unsigned flags) {
  if (policy.on_output_cap == OnOutputCap::end) flags |= Flag::end_when_full;
  std::string payload;
  append(payload, version);
  append(payload, static_cast<std::uint64_t>(times.wall.count()));
  append(payload, static_cast<std::uint64_t>(times.cpu.count()));
  append(payload, policy.output.count);
  append(payload, policy.file.count);
  append(payload, umask_usual);
  append(payload, static_cast<std::uint8_t>(flags));
  return payload;
}

void append_file(std::string& out, const File& file) {
  auto mode = file.mode == File::Mode::executable ? mode_executable : mode_plain;
  append_file_head(out, {mode, file.content.size(), file.path});
  append_data(out, 'D', file.content);
}

using Environment = std::map<std::string, std::string, std::less<>>;

using Variables = std::vector<std::pair<std::string, std::string>>;

Environment environment_of(const Variables& own, const std::vector<std::string>& image_env) {
  Environment environment{{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                          {"LANG", "C.UTF-8"}};
  for (const auto& entry : image_env) {
    auto name_end = std::min(entry.find('='), entry.size());
    if (name_end == 0 || name_end == entry.size()) continue;
    environment[entry.substr(0, name_end)] = entry.substr(name_end + 1);
  }
  environment["HOME"] = "/box";
  environment["TMPDIR"] = "/tmp";
  for (const auto& [name, value] : own) environment[name] = value;
  return environment;
}

void append_command(std::string& out, const std::vector<std::string>& command,
                    const Environment& environment) {
  for (const auto& word : command) append_frame(out, 'A', word);
  for (const auto& [name, value] : environment) {
    append_frame(out, 'E', fmt::format("{}={}", name, value));
  }
}

void append_folder(std::string& out, const Program& program) {
  if (!program.working_dir.empty()) append_frame(out, 'C', program.working_dir);
}

void append_files(std::string& out, const Execution& execution) {
  for (const auto& file : execution.program.files) append_file(out, file);
  if (!execution.workspace) return;
  append_file_head(out, {mode_folder, 0, std::string{workspace_folder}});
  out += execution.workspace->packed;
}

void append_keep(std::string& out, const Workspace& workspace) {
  std::string payload;
  append(payload, workspace.bytes_max.count);
  append(payload, static_cast<std::uint32_t>(workspace.files_max));
  append_frame(out, 'B', payload);
}

}  // namespace

void append_frame(std::string& out, char type, std::string_view payload) {
  out += type;
  append(out, static_cast<std::uint32_t>(payload.size()));
  out += payload;
}

std::optional<FrameView> first_frame(std::string_view bytes) {
  if (bytes.size() < head_size) return std::nullopt;
  auto size = number_at(bytes, 1, 4);
  if (size > payload_max || bytes.size() < head_size + size) return std::nullopt;
  return FrameView{bytes[0], bytes.substr(head_size, size)};
}

void append_file_head(std::string& out, const FileHead& head) {
  std::string payload;
  append(payload, head.mode);
  append(payload, head.size);
  payload += head.path;
  append_frame(out, 'F', payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  std::string_view rest = std::string_view{buffer_}.substr(at_);
  if (rest.size() < head_size) return std::nullopt;
  auto size = number_at(rest, 1, 4);
  if (size > payload_max) {
    return fail(ErrorKind::unavailable, "bad_frame",
                fmt::format("cannot read from the sandbox: a frame of {} bytes", size));
  }
  if (rest.size() < head_size + size) return std::nullopt;
  Frame frame{rest[0], std::string{rest.substr(head_size, size)}};
  at_ += head_size + size;
  if (at_ == buffer_.size() || at_ > payload_max) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  return frame;
}

std::string encode_boot(const Boot& boot) {
  std::string out;
  append_command(out, boot.command, environment_of(boot.env, boot.image_env));
  std::string payload;
  append(payload, boot.file.count);
  append(payload, umask_usual);
  append_frame(out, 'W', payload);
  return out;
}

std::string encode_compilation(const Execution& execution,
                               const std::vector<std::string>& image_env) {
  const auto& program = execution.program;
  const auto& compile = program.compile.value();
  std::string out;
  append_frame(
      out, 'L',
      limits_payload(execution.policy, {compile.wall_time, compile.cpu_time}, Flag::stage_follows));
  append_command(out, compile.command, environment_of(program.env, image_env));
  append_folder(out, program);
  append_files(out, execution);
  append_frame(out, 'G', {});
  append_frame(out, 'Z', {});
  return out;
}

std::string encode_run(const Execution& execution, const std::vector<std::string>& image_env,
                       Start start) {
  const auto& [program, policy] = std::tie(execution.program, execution.policy);
  unsigned flags = Flag::artifacts;
  if (start == Start::waiting) flags |= Flag::waiting_interpreter;
  if (execution.terminal) flags |= Flag::terminal;
  std::string out;
  append_frame(out, 'L', limits_payload(policy, {policy.wall_time, policy.cpu_time}, flags));
  append_command(out, program.command, environment_of(program.env, image_env));
  append_folder(out, program);
  if (!program.compile) append_files(out, execution);
  if (execution.workspace) append_keep(out, *execution.workspace);
  if (execution.terminal) {
    out += encode_resize(execution.terminal->rows, execution.terminal->columns);
  }
  append_frame(out, 'G', {});
  return out;
}

std::string encode_input(std::string_view input) {
  std::string out;
  append_data(out, 'I', input);
  return out;
}

std::string encode_end_of_input() {
  std::string out;
  append_frame(out, 'Z', {});
  return out;
}

std::string encode_signal(int signal) {
  std::string payload;
  append(payload, static_cast<std::uint32_t>(signal));
  std::string out;
  append_frame(out, 'K', payload);
  return out;
}

std::string encode_resize(int rows, int columns) {
  constexpr int cells_max = 0xFFFF;
  std::string payload;
  append(payload, static_cast<std::uint16_t>(std::clamp(rows, 1, cells_max)));
  append(payload, static_cast<std::uint16_t>(std::clamp(columns, 1, cells_max)));
  std::string out;
  append_frame(out, 'T', payload);
  return out;
}

Result<Report> decode_report(std::string_view payload) {
  constexpr std::size_t report_size = 1 + 1 + 4 + 4 + 6 * 8 + 1 + 4;
  if (payload.size() != report_size || payload[0] != static_cast<char>(version) ||
      static_cast<unsigned char>(payload[1]) > static_cast<unsigned char>(Cause::not_started)) {
    return fail(ErrorKind::unavailable, "bad_frame",
                "cannot read from the sandbox: a verdict of another version");
  }
  auto wall = number_at(payload, 10, 8);
  auto cpu = number_at(payload, 18, 8);
  if (wall > microseconds_max || cpu > microseconds_max) {
    return fail(ErrorKind::unavailable, "bad_frame",
                "cannot read from the sandbox: a verdict with impossible times");
  }
  Report report{};
  report.cause = static_cast<Cause>(payload[1]);
  report.exit_code = static_cast<int>(static_cast<std::int32_t>(number_at(payload, 2, 4)));
  report.signal = static_cast<int>(static_cast<std::int32_t>(number_at(payload, 6, 4)));
  report.wall_time = Microseconds{static_cast<std::int64_t>(wall)};
  report.cpu_time = Microseconds{static_cast<std::int64_t>(cpu)};
  report.memory_peak_bytes = number_at(payload, 26, 8);
  auto truncated = number_at(payload, 58, 1);
  report.output_truncated = (truncated & 1U) != 0;
  report.errors_truncated = (truncated & 2U) != 0;
  report.artifacts_skipped = static_cast<std::uint32_t>(number_at(payload, 59, 4));
  return report;
}

Result<FileHead> decode_file_head(std::string_view payload) {
  constexpr std::size_t numbers_size = 4 + 8;
  if (payload.size() <= numbers_size) {
    return fail(ErrorKind::unavailable, "bad_frame",
                "cannot read from the sandbox: a file without a name");
  }
  return FileHead{static_cast<std::uint32_t>(number_at(payload, 0, 4)), number_at(payload, 4, 8),
                  std::string{payload.substr(numbers_size)}};
}

Result<KeptEnd> decode_kept_end(std::string_view payload) {
  constexpr std::size_t end_size = 1 + 4;
  if (payload.size() != end_size) {
    return fail(ErrorKind::unavailable, "bad_frame",
                "cannot read from the sandbox: an end of the workspace of another version");
  }
  return KeptEnd{static_cast<int>(number_at(payload, 0, 1)),
                 static_cast<std::uint32_t>(number_at(payload, 1, 4))};
}

Result<ArtifactHead> decode_artifact_head(std::string_view payload) {
  constexpr std::size_t size_size = 8;
  if (payload.size() <= size_size) {
    return fail(ErrorKind::unavailable, "bad_frame",
                "cannot read from the sandbox: an artifact without a name");
  }
  return ArtifactHead{number_at(payload, 0, size_size), std::string{payload.substr(size_size)}};
}

}  // namespace gantry::sandbox::init
