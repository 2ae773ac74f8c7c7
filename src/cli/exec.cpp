#include "async/attempt.hpp"
#include "base/encoding.hpp"
#include "cli/api_client.hpp"
#include "cli/commands.hpp"
#include "cli/exec_request.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"
#include "cli/sse.hpp"
#include "cli/verdict.hpp"
#include "sandbox/program.hpp"

#include <utility>

#include <fmt/format.h>

// `gantry exec`: sends a program, shows what it prints while it prints it, and ends as it ended.
namespace gantry::cli {
namespace {

/// The stream of an execution may be silent for as long as the program is.
constexpr Milliseconds any_silence{0};
constexpr std::string_view executions_path = "/api/v1/executions";

/// An execution that the server has taken.
struct Running {
  Context& context;
  ApiClient& server;
  std::string id;
  Format format;
  std::optional<json::Value> finished;
  std::string finished_text;  ///< The same as the server wrote it.
};

async::task<Result<json::Value>> prepare(const ExecCommand& command) {
  std::string input;
  if (command.input == ExecCommand::Input::forwarded ||
      program_from(command) == ProgramFrom::standard_input) {
    auto read = co_await read_input(sandbox::program_limits.input_max);
    if (!read) co_return fail(read.error());
    input = std::move(*read);
  }
  co_return execution_request(command, read_local_file, std::move(input));
}

Error stream_broken(const Running& running, std::string_view cause) {
  return {ErrorKind::unavailable, "stream_broken",
          fmt::format("cannot follow execution '{}': {}", running.id, cause),
          "it may still run; the console shows it"};
}

/// Shows one event; keeps the last one.
Result<> show(Running& running, const ServerEvent& event) {
  auto value = json::parse(event.data, json::Keys::tolerant, {.bytes_max = EventParser::event_max});
  if (!value) return fail(stream_broken(running, value.error().message));
  if (event.name == "verdict") {
    running.finished = std::move(*value);
    running.finished_text = event.data;
    return ok;
  }
  if (running.format == Format::json) return ok;
  json::Fields fields{*value, event.name, json::Keys::tolerant};
  json::TextBounds any_length{0, EventParser::event_max};
  if (event.name == "progress") {
    running.context.terminal.aside(fields.text("message", any_length).value_or(""));
  } else if (event.name == "stdout" || event.name == "stderr") {
    auto bytes = fields.text("text", any_length);
    if (auto encoded = fields.text("base64", any_length)) bytes = encoding::from_base64(*encoded);
    auto& terminal = running.context.terminal;
    event.name == "stdout" ? terminal.out(bytes.value_or("")) : terminal.err(bytes.value_or(""));
  }
  return ok;
}

async::task<void> follow(Running& running) {
  auto path = fmt::format("{}/{}/events", executions_path, encoding::percent(running.id));
  auto stream = value_or_throw(
      co_await running.server.events(fmt::format("follow execution '{}'", running.id), path));
  EventParser parser;
  while (!running.finished) {
    auto bytes = co_await stream.read(any_silence);
    if (bytes.empty()) throw Failure{stream_broken(running, "the server has ended the stream")};
    if (!parser.feed(bytes)) throw Failure{stream_broken(running, "an event is too large")};
    while (auto event = parser.next()) value_or_throw(show(running, *event));
  }
}

async::task<void> cancel(Running& running) {
  auto path = fmt::format("{}/{}", executions_path, encoding::percent(running.id));
  auto cancelled = co_await async::attempt(
      running.server.remove(fmt::format("cancel execution '{}'", running.id), path));
  // Too late is no trouble: its verdict is on the way.
  if (!cancelled && cancelled.error().kind != ErrorKind::conflict) {
    running.context.terminal.err(error_line(cancelled.error(), running.format));
  }
}

async::task<void> cancel_when_interrupted(Running& running) {
  co_await running.context.interrupted.wait();
  if (running.format == Format::text) {
    running.context.terminal.aside("cancelling; press Ctrl-C again to leave without waiting");
  }
  co_await cancel(running);
}

async::task<Result<std::string>> submit(ApiClient& server, json::Value request) {
  auto accepted =
      co_await server.post("run the program", std::string{executions_path}, std::move(request));
  if (!accepted) co_return fail(accepted.error());
  json::Fields fields{*accepted, "", json::Keys::tolerant};
  auto id = fields.required_text("id", {1, 64});
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  co_return id;
}

}  // namespace

async::task<Result<int>> run(Context& context, ExecCommand command) {
  auto request = co_await unless_interrupted(context, prepare(command));
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto id = co_await submit(**server, std::move(*request));
  if (!id) co_return fail(id.error());

  Running running{context, **server, *id, command.format, {}, {}};
  auto followed = co_await async::attempt(
      async::with_companion(follow(running), cancel_when_interrupted(running)));
  if (!followed) {
    // The output has nowhere to go: then nobody wants the rest.
    if (followed.error().code.starts_with("output_")) co_await cancel(running);
    co_return fail(followed.error());
  }
  auto ending = ending_of(*running.finished);
  if (!ending) co_return fail(ending.error());
  if (command.format == Format::json) {
    context.terminal.out(running.finished_text + "\n");
  } else if (!ending->line.empty()) {
    context.terminal.say(fmt::format("gantry: {}", ending->line));
  }
  co_return ending->exit_code;
}

}  // namespace gantry::cli
