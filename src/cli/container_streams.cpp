#include "base/encoding.hpp"
#include "cli/api_client.hpp"
#include "cli/columns.hpp"
#include "cli/copy_stream.hpp"
#include "cli/find_container.hpp"
#include "cli/remote_request.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>

// `gantry logs` and `gantry stats`: what goes on until somebody presses Ctrl-C.
namespace gantry::cli {
namespace {

constexpr json::TextBounds any_length{0, EventParser::event_max};

/// Hands over each event of a stream, which has to say that it is whole.
async::task<Result<>> each_event(ApiClient& server, std::string doing, std::string path,
                                 std::function<Result<>(const ServerEvent&)> show) {
  auto stream = co_await server.events(doing, std::move(path));
  if (!stream) co_return fail(stream.error());
  co_return co_await each_event_to_end(*stream, std::move(doing), std::move(show));
}

Result<> show_log(Terminal& terminal, Format format, const ServerEvent& event) {
  if (format == Format::json) {
    terminal.out(fmt::format("{{\"event\":\"{}\",\"data\":{}}}\n", event.name, event.data));
  }
  if (event.name == "error") return fail(problem_of("go on with the log", 502, event.data));
  if (format == Format::json) return ok;
  auto value = json::parse(event.data, json::Keys::tolerant, {.bytes_max = EventParser::event_max});
  if (!value) return fail(value.error());
  json::Fields fields{*value, event.name, json::Keys::tolerant};
  if (event.name == "stdout" || event.name == "stderr") {
    auto bytes = fields.text("text", any_length);
    if (auto encoded = fields.text("base64", any_length)) bytes = encoding::from_base64(*encoded);
    event.name == "stdout" ? terminal.out(bytes.value_or("")) : terminal.err(bytes.value_or(""));
  } else if (event.name == "dropped") {
    terminal.aside("some output came faster than it could be shown, and was left out");
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
    auto copied = co_await copy_text(context, **server, doing, path, "text/plain");
    co_return copied ? copied : fail(by_name(in_words_of(*command.verb, copied.error()), *found));
  }
  auto shown = co_await each_event(**server, doing, path, [&](const ServerEvent& event) {
    return show_log(context.terminal, command.format, event);
  });
  if (!shown) co_return fail(by_name(in_words_of(*command.verb, shown.error()), *found));
  co_return 0;
}

/// Lines of all services, told apart by what stands before them.
async::task<Result<int>> run_project_logs(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto name = command.text("name");
  if (!command.has("host")) {
    auto host = co_await project_host(**server, name);
    if (!host) co_return fail(host.error());
    command.given["host"] = {*host};
  }
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto doing = fmt::format("read the logs of project '{}'", name);
  if (command.format == Format::text) {
    auto copied = co_await copy_text(context, **server, doing, request->target, "text/plain");
    co_return copied ? copied : fail(in_words_of(*command.verb, copied.error()));
  }
  auto shown = co_await each_event(**server, doing, request->target, [&](const ServerEvent& event) {
    return show_log(context.terminal, command.format, event);
  });
  if (!shown) co_return fail(in_words_of(*command.verb, shown.error()));
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

}  // namespace gantry::cli
