#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/commands.hpp"
#include "cli/find_container.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"
#include "cli/raw_terminal.hpp"
#include "net/websocket.hpp"

#include <utility>

#include <fmt/format.h>

// `gantry exec -it CONTAINER`: a shell in a container on this screen; `gantry exec --container`:
// one command in it, to its end.
namespace gantry::cli {
namespace {

constexpr int exit_timed_out = 124;
constexpr std::size_t input_max = 1U << 20U;
constexpr Milliseconds usual_time{60'000};
/// What the server may take besides the command's own time.
constexpr Milliseconds server_time{90'000};
constexpr Milliseconds last_wait{5'000};

json::Object place_of(const ContainerExecCommand& command) {
  json::Object body;
  if (!command.user.empty()) body["user"] = command.user;
  if (!command.working_dir.empty()) body["working_dir"] = command.working_dir;
  json::Object env;
  for (const auto& [name, value] : command.env) env[name] = value;
  bool terminal = command.screen == ContainerExecCommand::Screen::terminal;
  if (terminal && !command.term.empty() && !env.contains("TERM")) env["TERM"] = command.term;
  if (!env.empty()) body["env"] = std::move(env);
  return body;
}

json::Array array_of(const std::vector<std::string>& words, std::size_t from) {
  json::Array array;
  for (auto i = from; i < words.size(); ++i) array.emplace_back(words[i]);
  return array;
}

/// A member that is bytes: its text, or what stands in base64 beside it.
std::string bytes_of(json::Fields& fields, const std::string& name) {
  json::TextBounds any_length{0, 64U << 20U};
  auto text = fields.text(name, any_length).value_or("");
  auto base64 = fields.text(name + "_base64", any_length);
  return base64 ? encoding::from_base64(*base64).value_or("") : text;
}

void say_what_lives_on(Context& context, json::Fields& fields) {
  if (fields.text("process").value_or("ended") == "ended") return;
  context.terminal.say(fmt::format("gantry: the process may still run in the container: {}",
                                   fields.text("detail").value_or("nobody knows why")));
}

int show_result(Context& context, const json::Value& answer) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  context.terminal.out(bytes_of(fields, "stdout"));
  context.terminal.err(bytes_of(fields, "stderr"));
  if (fields.boolean("truncated").value_or(false)) {
    context.terminal.say("gantry: the output is cut off at 1 MiB");
  }
  say_what_lives_on(context, fields);
  if (fields.boolean("timed_out").value_or(false)) {
    context.terminal.say("gantry: the command ran out of time");
    return exit_timed_out;
  }
  auto code = fields.integer("exit_code", {0, 255});
  return static_cast<int>(code.value_or(exit_infrastructure));
}

async::task<Result<int>> run_once(Context& context, ApiClient& server, FoundContainer found,
                                  ContainerExecCommand command) {
  if (command.words.empty()) {
    co_return fail(ErrorKind::invalid, "bad_usage",
                   fmt::format("cannot run a command in '{}': none is named", found.name),
                   "name one, or open a shell with 'gantry exec -it'");
  }
  auto body = place_of(command);
  body["command"] = array_of(command.words, 0);
  if (command.input == ContainerExecCommand::Input::forwarded) {
    auto input = co_await unless_interrupted(context, read_input(input_max));
    if (!input) co_return fail(input.error());
    bool is_text = text::valid_utf8(*input);
    body[is_text ? "stdin" : "stdin_base64"] = is_text ? *input : encoding::base64(*input);
  }
  auto time = command.wall_time_ms ? Milliseconds{*command.wall_time_ms} : usual_time;
  body["timeout_ms"] = time.count();
  auto answer = co_await unless_interrupted(
      context, server.post_patiently(fmt::format("run the command in '{}'", found.name),
                                     found.path() + "/exec", std::move(body), time + server_time));
  if (!answer) co_return fail(by_name(answer.error(), found));
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
    json::Fields fields{*answer, "", json::Keys::tolerant};
    co_return static_cast<int>(fields.integer("exit_code", {0, 255}).value_or(exit_timed_out));
  }
  co_return show_result(context, *answer);
}

/// A terminal that was opened, as far as this screen knows.
class Screen {
 public:
  Screen(Context& context, net::WebSocket socket) : context_{context}, socket_{std::move(socket)} {}

  async::task<void> attach(std::string ticket) {
    json::Object message{{"type", "attach"}, {"ticket", std::move(ticket)}};
    add_size(message);
    co_await send(std::move(message));
  }

  /// Until the shell has ended, the connection has, or somebody wants this program's end.
  async::task<void> live() {
    auto both_ways =
        async::with_companion(async::with_companion(show_all(), hand_on_input()), hand_on_size());
    auto winner = co_await async::race(std::move(both_ways), context_.interrupted.wait());
    if (winner == async::Winner::first) co_return;
    co_await send({{"type", "end"}});
    co_await async::with_deadline(last_wait, "waiting for the end", show_all());
  }

  Result<int> outcome() {
    if (!ended_) {
      return fail(refused_.value_or(Error{ErrorKind::unavailable, "connection_lost",
                                          "cannot go on: the server has closed the connection",
                                          "open another terminal"}));
    }
    json::Fields fields{*ended_, "", json::Keys::tolerant};
    auto reason = fields.text("reason").value_or("");
    if (reason != "exited") {
      context_.terminal.say(fmt::format("gantry: the terminal has ended: {}", reason));
    }
    say_what_lives_on(context_, fields);
    auto code = fields.integer("exit_code", {0, 255});
    return static_cast<int>(code.value_or(exit_infrastructure));
  }

 private:
  static void add_size(json::Object& message) {
    auto size = RawTerminal::size();
    message["columns"] = size.columns;
    message["rows"] = size.rows;
  }

  async::task<void> send(json::Object message) {
    co_await socket_.send(net::WebSocket::Kind::text, json::serialize(message));
  }

  async::task<void> send_bytes(std::string bytes) {
    co_await socket_.send(net::WebSocket::Kind::binary, bytes);
  }

  async::task<void> show_all() {
    while (!ended_) {
      auto message = co_await socket_.receive();
      if (!message) co_return;
      if (message->kind == net::WebSocket::Kind::binary) {
        context_.terminal.out(message->data);
      } else {
        understand(message->data);
      }
    }
  }

  void understand(std::string_view text) {
    auto value = json::parse(text, json::Keys::tolerant);
    if (!value) return;
    json::Fields fields{*value, "", json::Keys::tolerant};
    auto type = fields.text("type").value_or("");
    if (type == "ended") ended_ = *value;
    if (type != "error") return;
    json::TextBounds bounds{0, 65'536};
    refused_ = Error{ErrorKind::unavailable, fields.text("code").value_or("refused"),
                     fields.text("detail", bounds).value_or("cannot go on"),
                     fields.text("remedy", bounds).value_or("")};
  }

  async::task<void> hand_on_input() {
    value_or_throw(
        co_await read_pieces([this](std::string piece) { return send_bytes(std::move(piece)); }));
  }

  async::task<void> hand_on_size() {
    for (;;) {
      co_await context_.screen.resized.wait();
      json::Object message{{"type", "resize"}};
      add_size(message);
      co_await send(std::move(message));
    }
  }

  Context& context_;
  net::WebSocket socket_;
  std::optional<json::Value> ended_;
  std::optional<Error> refused_;
};

async::task<Result<int>> run_terminal(Context& context, ApiClient& server, FoundContainer found,
                                      ContainerExecCommand command) {
  if (auto there = RawTerminal::check(); !there) co_return fail(there.error());
  auto body = place_of(command);
  auto size = RawTerminal::size();
  body["columns"] = size.columns;
  body["rows"] = size.rows;
  if (!command.words.empty()) {
    body["shell"] = command.words.front();
    if (command.words.size() > 1) body["arguments"] = array_of(command.words, 1);
  }
  auto doing = fmt::format("open a terminal in '{}'", found.name);
  auto opened = co_await server.post(doing, found.path() + "/terminals", std::move(body));
  if (!opened) co_return fail(by_name(opened.error(), found));
  json::Fields fields{*opened, "", json::Keys::tolerant};
  auto id = fields.required_text("id", {1, 64});
  auto ticket = fields.required_text("ticket", {1, 128});
  auto warning = fields.text("may_live_on");
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  if (warning) {
    context.terminal.say(
        fmt::format("gantry: what you start may outlive this terminal: {}", *warning));
  }
  auto socket = co_await server.websocket(doing, "/api/v1/terminals/" + encoding::percent(id));
  if (!socket) co_return fail(socket.error());
  Screen screen{context, std::move(*socket)};
  co_await screen.attach(std::move(ticket));
  Result<> lived;
  {
    RawTerminal raw{context.screen};
    lived = co_await async::attempt(screen.live());
  }
  auto outcome = screen.outcome();
  if (!outcome && !lived) co_return fail(lived.error());
  co_return outcome;
}

}  // namespace

async::task<Result<int>> run(Context& context, ContainerExecCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto found = co_await unless_interrupted(
      context, find_container(**server, command.host, command.container));
  if (!found) co_return fail(found.error());
  if (command.screen == ContainerExecCommand::Screen::terminal) {
    co_return co_await run_terminal(context, **server, std::move(*found), std::move(command));
  }
  co_return co_await run_once(context, **server, std::move(*found), std::move(command));
}

}  // namespace gantry::cli
