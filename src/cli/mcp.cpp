#include "cli/mcp.hpp"

#include "async/attempt.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "cli/api_client.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"

#include <map>
#include <memory>
#include <utility>

// `gantry mcp`: the stdio transport of MCP
// (https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio), a thin bridge:
// each line goes to the server's /mcp, and what it answers is a line.
namespace gantry::cli {
namespace {

/// A program of the largest size, escaped.
constexpr std::size_t line_max = 20U << 20U;
constexpr std::size_t at_once_max = 32;
/// The first of the codes that JSON-RPC leaves to servers.
constexpr int unreachable_code = -32000;

class Bridge {
 public:
  Bridge(Context& context, ServerAccess access)
      : context_{context},
        access_{std::move(access)},
        answered_{context.executor},
        output_gone_{context.executor},
        messages_{context.executor} {}

  async::task<Result<int>> run() { return async::finally(until_an_end(), messages_.close()); }

 private:
  async::task<Result<int>> until_an_end() {
    std::optional<Result<int>> ended;
    co_await async::race(async::detail::keep(pass_on_everything(), ended), output_gone_.wait());
    if (!written_) co_return fail(written_.error());
    co_return std::move(*ended);
  }

  async::task<Result<int>> pass_on_everything() {
    auto each = [this](std::string line) { return take(std::move(line)); };
    if (auto read = co_await read_lines(line_max, each); !read) co_return fail(read.error());
    co_await messages_.join();
    co_return 0;
  }

  async::task<void> take(std::string line) {
    auto about = about_message(line);
    if (about.empty) co_return;
    if (about.cancels) {
      auto found = running_.find(*about.cancels);
      if (found != running_.end()) found->second->stop();
      co_return;
    }
    while (under_way_ >= at_once_max) co_await answered_.wait();
    ++under_way_;
    messages_.spawn("message", pass_on(std::move(line), std::move(about.id)));
  }

  /// Sends one message and writes the answer, unless its sender takes it back: then the
  /// connection is dropped, and the server ends what it did.
  async::task<void> pass_on(std::string line, std::optional<json::Value> id) {
    auto key = id ? json::serialize(*id) : std::string{};
    auto cancelled = std::make_shared<async::StopSignal>(context_.executor);
    if (id) running_[key] = cancelled;
    std::optional<Result<std::string>> answer;
    co_await async::race(async::detail::keep(ask(std::move(line)), answer), cancelled->wait());
    if (id) running_.erase(key);
    if (answer) {
      auto written = co_await async::attempt(write(std::move(*answer), std::move(id)));
      if (!written) {
        written_ = std::move(written);
        output_gone_.stop();
      }
    }
    --under_way_;
    answered_.notify();
  }

  /// With an access of its own: a server that was started anew has another local token.
  async::task<Result<std::string>> ask(std::string line) {
    auto server = ApiClient::open(context_, access_);
    if (!server) co_return fail(server.error());
    co_return co_await async::attempt((*server)->relay("/mcp", std::move(line)));
  }

  async::task<void> write(Result<std::string> answer, std::optional<json::Value> id) {
    if (!answer) {
      context_.terminal.say("gantry: " + answer.error().sentence());
      if (!id) co_return;
      json::Object error{{"code", unreachable_code}, {"message", answer.error().sentence()}};
      answer = json::serialize(
          json::Object{{"jsonrpc", "2.0"}, {"id", *id}, {"error", std::move(error)}});
    }
    if (!answer->empty()) context_.terminal.out(*answer + "\n");
  }

  Context& context_;
  ServerAccess access_;
  /// Requests under way by their ids. Owned together with the coroutine that waits for it.
  std::map<std::string, std::shared_ptr<async::StopSignal>> running_;
  std::size_t under_way_ = 0;
  async::Event answered_;
  /// Nobody reads what we write any more.
  async::StopSignal output_gone_;
  Result<> written_;
  async::TaskScope messages_;
};

async::task<Result<int>> bridge(Context& context, ServerAccess access) {
  Bridge bridge{context, std::move(access)};
  co_return co_await bridge.run();
}

}  // namespace

AboutMessage about_message(std::string_view line) {
  AboutMessage about;
  about.empty = line.find_first_not_of(" \t\r") == line.npos;
  auto message = json::parse(line, json::Keys::tolerant);
  if (!message || !message->is_object()) return about;
  const auto& object = message->as_object();
  const auto* id = object.if_contains("id");
  if (id != nullptr && (id->is_string() || id->is_number())) about.id = *id;
  const auto* method = object.if_contains("method");
  const auto* params = object.if_contains("params");
  if (method == nullptr || params == nullptr || !params->is_object()) return about;
  const auto* request = params->as_object().if_contains("requestId");
  if (*method == "notifications/cancelled" && request != nullptr) {
    about.cancels = json::serialize(*request);
  }
  return about;
}

async::task<Result<int>> run(Context& context, McpCommand command) {
  return unless_interrupted(context, bridge(context, std::move(command.server)));
}

}  // namespace gantry::cli
