#include "engine/containers.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"
#include "engine/tar_source.hpp"

#include <fmt/format.h>

namespace gantry::engine {
namespace {

/// The engine sends a reading every second; ten without one is a broken stream.
constexpr Milliseconds stats_silence_max{10'000};
constexpr Milliseconds archive_silence_max{60'000};

Result<Request> request_for(std::string verb, std::string method, std::string container,
                            std::string path) {
  Request request;
  request.doing = {std::move(verb), "container", container};
  if (auto valid = check_container(request.doing, container); !valid) return fail(valid.error());
  request.method = std::move(method);
  request.path = {"containers", std::move(container), std::move(path)};
  return request;
}

std::string word_of(WaitCondition condition) {
  switch (condition) {
    case WaitCondition::not_running:
      return "not-running";
    case WaitCondition::next_exit:
      return "next-exit";
    case WaitCondition::removed:
      return "removed";
  }
  return "";
}

std::string seconds_of(WallTime time) {
  auto milliseconds = time.time_since_epoch().count();
  return fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

std::uint64_t memory_without_cache(const json::Object& memory) {
  auto usage = read::counter(memory, "usage");
  const auto& stats = read::object(memory, "stats");
  // cgroup v1 has both names and only the first counts the children too.
  const char* name =
      stats.contains("total_inactive_file") ? "total_inactive_file" : "inactive_file";
  auto droppable = read::counter(stats, name);
  return droppable < usage ? usage - droppable : usage;
}

void add_networks(const json::Object& networks, Stats& into) {
  for (const auto& network : networks) {
    if (!network.value().is_object()) continue;
    into.received_bytes += read::counter(network.value().get_object(), "rx_bytes");
    into.sent_bytes += read::counter(network.value().get_object(), "tx_bytes");
  }
}

void add_disks(const json::Object& disks, Stats& into) {
  const auto* entries = disks.if_contains("io_service_bytes_recursive");
  if (entries == nullptr || !entries->is_array()) return;
  for (const auto& entry : entries->get_array()) {
    if (!entry.is_object()) continue;
    const auto& object = entry.get_object();
    const auto* operation = object.if_contains("op");
    if (operation == nullptr || !operation->is_string()) continue;
    // `Read` on cgroup v1, `read` on v2.
    std::string_view word{operation->get_string()};
    if (word == "Read" || word == "read") into.disk_read_bytes += read::counter(object, "value");
    if (word == "Write" || word == "write") {
      into.disk_written_bytes += read::counter(object, "value");
    }
  }
}

Stats stats_of(const json::Object& reading) {
  Stats stats;
  const auto* at = reading.if_contains("read");
  if (at != nullptr && at->is_string()) stats.read_at = std::string{at->get_string()};
  const auto& cpu = read::object(reading, "cpu_stats");
  stats.cpu_total_ns = read::counter(read::object(cpu, "cpu_usage"), "total_usage");
  stats.system_cpu_ns = read::counter(cpu, "system_cpu_usage");
  stats.online_cpus = read::counter(cpu, "online_cpus");
  const auto* each = read::object(cpu, "cpu_usage").if_contains("percpu_usage");
  if (stats.online_cpus == 0 && each != nullptr && each->is_array()) {
    stats.online_cpus = each->get_array().size();
  }
  const auto& before = read::object(reading, "precpu_stats");
  stats.previous_cpu_total_ns = read::counter(read::object(before, "cpu_usage"), "total_usage");
  stats.previous_system_cpu_ns = read::counter(before, "system_cpu_usage");
  const auto& memory = read::object(reading, "memory_stats");
  stats.memory_bytes = memory_without_cache(memory);
  stats.memory_limit_bytes = read::counter(memory, "limit");
  stats.pids = read::counter(read::object(reading, "pids_stats"), "current");
  add_networks(read::object(reading, "networks"), stats);
  add_disks(read::object(reading, "blkio_stats"), stats);
  return stats;
}

}  // namespace

Wait::Wait(net::http::StreamedResponse response, std::string container)
    : response_{std::move(response)}, container_{std::move(container)} {}

async::task<Result<ExitStatus>> Wait::finished() {
  JsonLines lines{std::move(response_), 64U << 10U};
  Doing doing{"wait for", "container", container_};
  auto line = co_await lines.next(Milliseconds{0});
  if (!line) {
    co_return fail(
        ErrorKind::unavailable, "engine_stream_broken",
        fmt::format("cannot {}: the engine ended the wait without an answer", doing.text()));
  }
  auto value = json::parse(*line, json::Keys::tolerant);
  if (!value) co_return fail(read::malformed(doing, value.error()));
  auto fields = read::fields(*value, "");
  ExitStatus status;
  status.code = read::integer(fields, "StatusCode");
  if (const auto* error = fields.member("Error")) {
    auto inner = read::fields(*error, "Error");
    status.error = read::text(inner, "Message");
  }
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return status;
}

async::task<Result<Wait>> begin_wait(Client& client, std::string container,
                                     WaitCondition condition) {
  auto request = request_for("wait for", "POST", container, "wait");
  if (!request) co_return fail(std::move(request.error()));
  request->query = {{"condition", word_of(condition)}};
  auto response = co_await client.stream(std::move(*request));
  if (!response) co_return fail(std::move(response.error()));
  co_return Wait{std::move(*response), std::move(container)};
}

async::task<Result<ExitStatus>> wait_container(Client& client, std::string container,
                                               WaitCondition condition) {
  auto wait = co_await begin_wait(client, std::move(container), condition);
  if (!wait) co_return fail(std::move(wait.error()));
  co_return co_await wait->finished();
}

async::task<Result<AttachedStream>> attach_container(Client& client, std::string container,
                                                     Framing framing) {
  auto request = request_for("attach to", "POST", std::move(container), "attach");
  if (!request) co_return fail(std::move(request.error()));
  request->query = {{"stream", "1"}, {"stdin", "1"}, {"stdout", "1"}, {"stderr", "1"}};
  auto stream = co_await client.hijack(std::move(*request));
  if (!stream) co_return fail(std::move(stream.error()));
  co_return AttachedStream{std::move(*stream), framing};
}

async::task<Result<OutputStream>> container_logs(Client& client, std::string container,
                                                 Framing framing, LogOptions options) {
  auto request = request_for("read the logs of", "GET", std::move(container), "logs");
  if (!request) co_return fail(std::move(request.error()));
  auto flag = [&](const char* name, bool set) {
    if (set) request->query.emplace_back(name, "1");
  };
  flag("follow", options.follow == Follow::yes);
  flag("stdout", options.out);
  flag("stderr", options.err);
  flag("timestamps", options.timestamps);
  if (options.tail_lines) request->query.emplace_back("tail", std::to_string(*options.tail_lines));
  if (options.since) request->query.emplace_back("since", seconds_of(*options.since));
  if (options.until) request->query.emplace_back("until", seconds_of(*options.until));
  auto response = co_await client.stream(std::move(*request));
  if (!response) co_return fail(std::move(response.error()));
  co_return OutputStream{std::move(*response), framing};
}

std::optional<double> Stats::cpu_percent() const {
  if (previous_system_cpu_ns == 0) return std::nullopt;
  if (system_cpu_ns <= previous_system_cpu_ns || cpu_total_ns < previous_cpu_total_ns) return 0.0;
  auto used = static_cast<double>(cpu_total_ns - previous_cpu_total_ns);
  auto passed = static_cast<double>(system_cpu_ns - previous_system_cpu_ns);
  return used / passed * static_cast<double>(online_cpus) * 100.0;
}

async::task<std::optional<Stats>> StatsStream::next() {
  auto line = co_await lines_.next(stats_silence_max);
  if (!line) co_return std::nullopt;
  auto value = json::parse(*line, json::Keys::tolerant);
  if (!value || !value->is_object()) {
    throw Failure{
        read::malformed({"read", "a container's use", ""},
                        value ? json::field_error("body", "must be an object") : value.error())};
  }
  co_return stats_of(value->get_object());
}

async::task<Result<StatsStream>> container_stats(Client& client, std::string container) {
  auto request = request_for("watch", "GET", std::move(container), "stats");
  if (!request) co_return fail(std::move(request.error()));
  request->query = {{"stream", "1"}};
  auto response = co_await client.stream(std::move(*request));
  if (!response) co_return fail(std::move(response.error()));
  co_return StatsStream{std::move(*response)};
}

async::task<Result<>> put_archive(Client& client, std::string container, std::string path,
                                  Source tar) {
  auto request = request_for("put files into", "PUT", std::move(container), "archive");
  if (!request) co_return fail(std::move(request.error()));
  request->query = {{"path", std::move(path)}, {"noOverwriteDirNonDir", "1"}};
  request->headers.set("Content-Type", "application/x-tar");
  auto plain = co_await uncompressed(request->doing, std::move(tar));
  if (!plain) co_return fail(std::move(plain.error()));
  auto response = co_await client.upload(std::move(*request), std::move(*plain));
  if (!response) co_return fail(std::move(response.error()));
  while (!(co_await response->read(archive_silence_max)).empty()) continue;
  co_return ok;
}

async::task<Result<std::string>> get_archive(Client& client, std::string container,
                                             std::string path, Bytes max) {
  auto request = request_for("get files of", "GET", std::move(container), "archive");
  if (!request) co_return fail(std::move(request.error()));
  request->query = {{"path", std::move(path)}};
  auto doing = request->doing;
  auto response = co_await client.stream(std::move(*request));
  if (!response) co_return fail(std::move(response.error()));
  std::string tar;
  for (;;) {
    auto piece = co_await response->read(archive_silence_max);
    if (piece.empty()) co_return tar;
    tar += piece;
    if (tar.size() <= max.count) continue;
    co_return fail(ErrorKind::too_large, "archive_too_large",
                   fmt::format("cannot {}: over the limit of {} bytes", doing.text(), max.count));
  }
}

}  // namespace gantry::engine
