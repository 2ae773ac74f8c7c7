#include "base/encoding.hpp"
#include "cli/api_client.hpp"
#include "cli/columns.hpp"
#include "cli/find_container.hpp"
#include "cli/remote_request.hpp"
#include "cli/sse.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>

// `gantry logs` and `gantry stats`: what goes on until somebody presses Ctrl-C.
namespace gantry::cli {
namespace {

/// A container may be silent for as long as it likes.
constexpr Milliseconds any_silence{0};
constexpr json::TextBounds any_length{0, EventParser::event_max};

Error broken(const std::string& doing, std::string_view cause) {
  return {ErrorKind::unavailable, "stream_broken", fmt::format("cannot {}: {}", doing, cause),
          "try again"};
}

/// Hands over each event of a stream until it ends.
async::task<Result<>> each_event(ApiClient& server, std::string doing, std::string path,
                                 std::function<Result<>(const ServerEvent&)> show) {
  auto stream = co_await server.events(doing, std::move(path));
  if (!stream) co_return fail(stream.error());
  EventParser parser;
  while (true) {
    auto bytes = co_await stream->read(any_silence);
    if (bytes.empty()) co_return ok;
    if (!parser.feed(bytes)) co_return fail(broken(doing, "an event is too large"));
    while (auto event = parser.next()) {
      if (auto shown = show(*event); !shown) co_return fail(shown.error());
    }
  }
}

Result<> show_log(Terminal& terminal, Format format, const ServerEvent& event) {
  if (format == Format::json) {
    terminal.out(fmt::format("{{\"event\":\"{}\",\"data\":{}}}\n", event.name, event.data));
    return ok;
  }
  auto value = json::parse(event.data, json::Keys::tolerant, {.bytes_max = EventParser::event_max});
  if (!value) return fail(value.error());
  json::Fields fields{*value, event.name, json::Keys::tolerant};
  if (event.name == "stdout" || event.name == "stderr") {
    auto bytes = fields.text("text", any_length);
    if (auto encoded = fields.text("base64", any_length)) bytes = encoding::from_base64(*encoded);
    event.name == "stdout" ? terminal.out(bytes.value_or("")) : terminal.err(bytes.value_or(""));
  } else if (event.name == "dropped") {
    terminal.aside("some output came faster than it could be shown, and was left out");
  } else if (event.name == "error") {
    return fail(problem_of("go on with the log", 502, event.data));
  }
  return ok;
}

std::string percent_of(const json::Value& value, std::string_view key) {
  const auto* number = member_at(value, key);
  if (number == nullptr || !number->is_number()) return "";
  return fmt::format("{:.1f}%", number->to_number<double>());
}

/// One reading as a line of fixed columns.
std::string stats_line(const json::Value& value) {
  auto size = [&](std::string_view key) {
    return cell({"", key, Column::Show::size}, value, WallTime{});
  };
  auto pair = [&](std::string_view one, std::string_view other) {
    return fmt::format("{} / {}", size(one), size(other));
  };
  return fmt::format(
      "{:>8}  {:>23}  {:>23}  {:>23}  {:>5}\n", percent_of(value, "cpu_percent"),
      pair("memory_bytes", "memory_limit_bytes"), pair("received_bytes", "sent_bytes"),
      pair("disk_read_bytes", "disk_written_bytes"), cell({"", "pids"}, value, WallTime{}));
}

std::string stats_head() {
  return fmt::format("{:>8}  {:>23}  {:>23}  {:>23}  {:>5}\n", "CPU", "MEMORY / LIMIT",
                     "NET IN / OUT", "DISK READ / WRITTEN", "PIDS");
}

Result<> show_stats(Terminal& terminal, Format format, const ServerEvent& event) {
  if (event.name == "error") return fail(problem_of("go on with the readings", 502, event.data));
  if (event.name != "stats") return ok;
  if (format == Format::json) {
    terminal.out(event.data + "\n");
    return ok;
  }
  auto value = json::parse(event.data, json::Keys::tolerant);
  if (!value) return fail(value.error());
  terminal.out(stats_line(*value));
  return ok;
}

/// The log as it is, to its end.
async::task<Result<int>> copy_log(Context& context, ApiClient& server, std::string doing,
                                  std::string path) {
  auto stream = co_await server.stream(doing, std::move(path), "text/plain");
  if (!stream) co_return fail(stream.error());
  while (true) {
    auto bytes = co_await stream->read(any_silence);
    if (bytes.empty()) co_return 0;
    context.terminal.out(bytes);
  }
}

}  // namespace

async::task<Result<int>> run_logs(Context& context, RemoteCommand command) {
  if (!command.has("tail")) command.given["tail"] = {"all"};
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto found = co_await find_container(**server, command.text("host"), command.text("container"));
  if (!found) co_return fail(found.error());
  auto doing = fmt::format("read the log of container '{}'", found->name);
  auto path = found->path() + request->target;
  if (!command.has("follow") && command.format == Format::text) {
    co_return co_await copy_log(context, **server, doing, path);
  }
  auto shown = co_await each_event(**server, doing, path, [&](const ServerEvent& event) {
    return show_log(context.terminal, command.format, event);
  });
  if (!shown) co_return fail(shown.error());
  co_return 0;
}

async::task<Result<int>> run_stats(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto found = co_await find_container(**server, command.text("host"), command.text("container"));
  if (!found) co_return fail(found.error());
  auto doing = fmt::format("read what container '{}' uses", found->name);
  auto path = found->path() + "/stats";
  if (command.format == Format::text) context.terminal.out(stats_head());
  if (command.has("once")) {
    auto reading = co_await (*server)->get(doing, path);
    if (!reading) co_return fail(reading.error());
    context.terminal.out(command.format == Format::json ? json::serialize(*reading) + "\n"
                                                        : stats_line(*reading));
    co_return 0;
  }
  auto shown = co_await each_event(**server, doing, path, [&](const ServerEvent& event) {
    return show_stats(context.terminal, command.format, event);
  });
  if (!shown) co_return fail(shown.error());
  co_return 0;
}

async::task<Result<int>> run_export(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto stream = co_await (*server)->stream("export the audit log", std::string{command.verb->path},
                                           "application/jsonl");
  if (!stream) co_return fail(stream.error());
  while (true) {
    auto bytes = co_await stream->read(any_silence);
    if (bytes.empty()) co_return 0;
    context.terminal.out(bytes);
  }
}

}  // namespace gantry::cli
