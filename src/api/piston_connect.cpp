#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/piston.hpp"
#include "api/place.hpp"
#include "api/typed_ahead.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/text.hpp"

#include <optional>

#include <fmt/format.h>

// Piston's WebSocket: one job per connection, typed to while it runs.
namespace gantry::api {
namespace {

using executions::Happening;
using Follower = executions::Executions::Follower;

constexpr Milliseconds initialization_time{1'000};
constexpr Bytes message_max{16U << 20U};
/// One message of input, of which up to 64 wait for the program.
constexpr std::size_t input_max = 64U << 10U;

struct Goodbye {
  std::uint16_t code;
  std::string_view reason;
};
constexpr Goodbye job_completed{4999, "Job Completed"};
constexpr Goodbye already_initialized{4000, "Already Initialized"};
constexpr Goodbye initialization_timeout{4001, "Initialization Timeout"};
constexpr Goodbye notified_error{4002, "Notified Error"};
constexpr Goodbye not_yet_initialized{4003, "Not yet initialized"};
constexpr Goodbye only_stdin{4004, "Can only write to stdin"};
constexpr Goodbye invalid_signal{4005, "Invalid signal"};
constexpr Goodbye server_stopping{1001, "the server is stopping"};

std::string_view word(sandbox::Stage stage) {
  return stage == sandbox::Stage::compile ? "compile" : "run";
}

/// A text member; empty for anything else.
std::string text_of(const json::Value& message, std::string_view key) {
  const auto* object = message.if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string{std::string_view{value->get_string()}};
}

json::Object exit_message(sandbox::Stage stage, const piston::Ending& ending) {
  json::Object message{
      {"type", "exit"}, {"stage", word(stage)}, {"code", nullptr}, {"signal", nullptr}};
  if (ending.code) message["code"] = *ending.code;
  if (!ending.signal.empty()) message["signal"] = ending.signal;
  return message;
}

/// One coroutine reads, one writes, and the writer alone closes.
class Conversation {
 public:
  Conversation(Call& call, net::WebSocket socket)
      : call_{call},
        socket_{std::move(socket)},
        typed_{call.services.executor},
        changed_{call.services.executor} {}

  /// Returns when the connection has ended.
  async::task<void> run() {
    co_await async::race(async::with_companion(speak_and_hand_on(), watch_stop()), listen());
  }
  /// What it has placed, and may have left behind.
  const std::optional<executions::ExecutionId>& execution() const { return execution_; }

 private:
  async::task<void> listen();
  async::task<void> understand(std::string text);
  async::task<void> begin(const json::Value& message);
  async::task<void> type(sandbox::Keystrokes keys);
  async::task<void> speak();
  async::task<void> speak_and_hand_on() { co_await async::race(speak(), typed_.run(socket_)); }
  async::task<void> tell_job();
  async::task<void> follow(Follower& follower);
  async::task<void> tell(const Happening& happening);
  async::task<void> tell_stage(sandbox::Stage stage);
  async::task<void> tell_output(sandbox::OutputStream stream, std::string_view text);
  async::task<void> tell_end(const executions::Record& record);
  async::task<void> send(json::Object message);
  async::task<void> watch_stop();
  async::task<void> until_begun();
  async::task<void> until_goodbye();
  void end(Goodbye goodbye);
  void end_with(std::string error);

  Call& call_;
  net::WebSocket socket_;
  TypedAhead typed_;
  async::Event changed_;
  std::optional<piston::Job> job_;
  std::optional<executions::ExecutionId> execution_;
  std::optional<Goodbye> goodbye_;
  std::optional<std::string> error_;  ///< To be said before the good-bye.
  std::optional<sandbox::Stage> stage_;
  CharacterBorder out_;
  CharacterBorder err_;
};

void Conversation::end(Goodbye goodbye) {
  if (!goodbye_) goodbye_ = goodbye;
  changed_.notify();
}

void Conversation::end_with(std::string error) {
  if (!goodbye_) error_ = std::move(error);
  end(notified_error);
}

async::task<void> Conversation::watch_stop() {
  co_await call_.exchange.server_closing();
  end(server_stopping);
}

async::task<void> Conversation::until_begun() {
  while (!job_ && !goodbye_) co_await changed_.wait();
}

async::task<void> Conversation::until_goodbye() {
  while (!goodbye_) co_await changed_.wait();
}

async::task<void> Conversation::listen() {
  while (auto message = co_await socket_.receive()) {
    // After the good-bye only the other side's is of interest.
    if (!goodbye_) co_await understand(std::move(message->data));
  }
}

async::task<void> Conversation::understand(std::string text) {
  auto message =
      co_await compute(call_, text.size(), [&] { return json::parse(text, json::Keys::tolerant); });
  if (!message) co_return end_with(message.error().message);
  auto kind = text_of(*message, "type");
  if (kind == "init") {
    if (job_) co_return end(already_initialized);
    co_return co_await begin(*message);
  }
  if (kind != "data" && kind != "signal") co_return;
  if (!job_) co_return end(not_yet_initialized);
  if (kind == "data") {
    if (text_of(*message, "stream") != "stdin") co_return end(only_stdin);
    auto data = text_of(*message, "data");
    if (data.size() > input_max) co_return end_with("data must have at most 65536 bytes");
    co_return co_await type({.kind = sandbox::Keystrokes::Kind::bytes, .bytes = std::move(data)});
  }
  auto number = piston::signal_number(text_of(*message, "signal"));
  if (!number) co_return end(invalid_signal);
  co_await type({.kind = sandbox::Keystrokes::Kind::signal, .bytes = {}, .signal = *number});
}

async::task<void> Conversation::begin(const json::Value& message) {
  auto bounds = bounds_for(call_);
  auto job = co_await compute(call_, message_max.count, [&] {
    return piston::read_job(message, call_.services.languages, bounds);
  });
  if (!job) co_return end_with(job.error().message);
  job_ = std::move(*job);
  changed_.notify();
}

async::task<void> Conversation::type(sandbox::Keystrokes keys) {
  while (!execution_ && !goodbye_) co_await changed_.wait();
  if (!execution_) co_return;
  // Nobody reads any more from what has ended.
  auto keyboard = call_.services.executions.keyboard(*execution_, call_.own());
  if (keyboard) co_await typed_.push(std::move(keyboard), std::move(keys));
}

async::task<void> Conversation::speak() {
  auto winner = co_await async::race(until_begun(), async::pause(initialization_time));
  if (winner == async::Winner::second) end(initialization_timeout);
  if (!goodbye_) co_await tell_job();
  if (error_) co_await send({{"type", "error"}, {"message", *error_}});
  co_await socket_.close(goodbye_->code, goodbye_->reason);
}

/// From the job's beginning to a reason to say good-bye.
async::task<void> Conversation::tell_job() {
  auto& executions = call_.services.executions;
  auto record = co_await place(call_, std::move(job_->submission), executions::Input::interactive);
  if (!record) co_return end_with(told_error(call_, {}, record.error()).sentence());
  execution_ = record->id;
  changed_.notify();
  co_await send({{"type", "runtime"}, {"language", job_->language}, {"version", job_->version}});
  auto follower = co_await executions.follow(record->id, call_.own());
  if (!follower) co_return end_with(follower.error().sentence());
  co_await follow(*follower);
}

async::task<void> hear_next(Follower& follower, std::optional<Happening>& happening) {
  happening = co_await follower.next();
}

async::task<void> Conversation::follow(Follower& follower) {
  for (;;) {
    // Only the waiting is cut short by a good-bye, never a message half sent.
    std::optional<Happening> happening;
    co_await async::race(hear_next(follower, happening), until_goodbye());
    if (goodbye_) co_return;
    if (!happening) break;
    co_await tell(*happening);
  }
  co_await tell_end(follower.record());
}

async::task<void> Conversation::tell(const Happening& happening) {
  if (happening.kind == Happening::Kind::state && happening.state == executions::State::running) {
    co_await tell_stage(happening.stage);
  } else if (happening.kind == Happening::Kind::output) {
    bool out = happening.stream == sandbox::OutputStream::standard_output;
    co_await tell_output(happening.stream, (out ? out_ : err_).take(happening.bytes));
  }
}

async::task<void> Conversation::tell_output(sandbox::OutputStream stream, std::string_view text) {
  if (text.empty()) co_return;
  bool out = stream == sandbox::OutputStream::standard_output;
  auto message = fmt::format(R"({{"type":"data","stream":"{}","data":{}}})",
                             out ? "stdout" : "stderr", json_string(text));
  co_await socket_.send(net::WebSocket::Kind::text, message);
}

async::task<void> Conversation::tell_stage(sandbox::Stage stage) {
  if (stage_ == stage) co_return;
  // Only a compilation that went well is followed by a run.
  if (stage_) co_await send(exit_message(*stage_, {.code = 0}));
  stage_ = stage;
  co_await send({{"type", "stage"}, {"stage", word(stage)}});
}

async::task<void> Conversation::tell_end(const executions::Record& record) {
  co_await tell_output(sandbox::OutputStream::standard_output, out_.rest());
  co_await tell_output(sandbox::OutputStream::standard_error, err_.rest());
  if (!record.outcome) co_return end(server_stopping);
  const auto& outcome = *record.outcome;
  if (outcome.verdict == sandbox::Verdict::infrastructure_error) {
    co_return end_with(told_message(call_, record));
  }
  auto stage = stage_.value_or(sandbox::Stage::run);
  co_await send(exit_message(stage, piston::ending_of(outcome)));
  end(job_completed);
}

async::task<void> Conversation::send(json::Object message) {
  co_await socket_.send(net::WebSocket::Kind::text, json_text(message));
}

}  // namespace

Answer piston_connect(Call& call) {
  if (!text::iequals(call.header("Upgrade"), "websocket")) {
    co_return fail(ErrorKind::invalid, "websocket_required",
                   "cannot open a job's channel: this is not a WebSocket handshake",
                   "connect with the WebSocket protocol (RFC 6455)");
  }
  auto socket = co_await call.exchange.accept_websocket({.message_max = message_max});
  Conversation conversation{call, std::move(socket)};
  // Whoever goes away without a good-bye takes the job along.
  co_await async::attempt(conversation.run());
  if (conversation.execution()) {
    (void)co_await call.services.executions.cancel(*conversation.execution(), call.own());
  }
  co_return answered_already();
}

}  // namespace gantry::api
