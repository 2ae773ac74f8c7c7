#include "api/submissions.hpp"

#include "api/limits.hpp"
#include "base/encoding.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::api {
namespace {

using executions::Order;
using executions::Submission;

constexpr std::size_t key_max = 255;
constexpr std::size_t webhook_max = 2'048;
constexpr std::int64_t terminal_max = 1'000;

constexpr std::array<std::string_view, 3> executor_words{"auto", "docker", "local"};

std::optional<sandbox::Terminal> read_terminal(json::Fields& outer) {
  const auto* value = outer.member("terminal");
  if (value == nullptr) return std::nullopt;
  json::Fields fields{*value, outer.path("terminal"), json::Keys::strict};
  sandbox::Terminal terminal;
  auto rows = fields.integer("rows", {1, terminal_max});
  auto columns = fields.integer("columns", {1, terminal_max});
  terminal.rows = static_cast<int>(rows.value_or(terminal.rows));
  terminal.columns = static_cast<int>(columns.value_or(terminal.columns));
  if (auto read = fields.finish(); !read) outer.adopt(read.error());
  return terminal;
}

std::string read_webhook(json::Fields& outer, const executions::Executions& executions) {
  const auto* value = outer.member("webhook");
  if (value == nullptr) return {};
  json::Fields fields{*value, outer.path("webhook"), json::Keys::strict};
  auto url = fields.required_text("url", {1, webhook_max});
  auto read = fields.finish();
  if (read) read = executions.check_webhook(url);
  if (!read) outer.adopt(read.error());
  return url;
}

/// Reads what is to be run, for one caller.
struct Reader {
  const sandbox::Languages& languages;
  sandbox::PolicyBounds bounds;
  const executions::Executions& executions;

  Result<Submission> one(const json::Value& value, std::string where) const {
    json::Fields fields{value, std::move(where), json::Keys::strict};
    auto wanted = sandbox::read_submission(fields, languages, bounds);
    Submission submission{.program = std::move(wanted.program), .policy = std::move(wanted.policy)};
    auto executor = fields.text("executor").value_or("auto");
    const auto* word = std::ranges::find(executor_words, executor);
    if (word == executor_words.end()) {
      fields.refuse("executor", "must be 'auto', 'docker' or 'local'");
    } else {
      submission.executor = static_cast<sandbox::ExecutorChoice>(word - executor_words.begin());
    }
    bool interactive = fields.boolean("interactive").value_or(false);
    if (interactive) submission.input = executions::Input::interactive;
    submission.terminal = read_terminal(fields);
    if (submission.terminal && !interactive) {
      fields.refuse("terminal", "needs 'interactive': true");
    }
    submission.webhook = read_webhook(fields, executions);
    if (auto read = fields.finish(); !read) return fail(read.error());
    return submission;
  }

  Result<std::vector<Result<Submission>>> batch(const json::Value& value) const {
    json::Fields fields{value, "", json::Keys::strict};
    std::vector<Result<Submission>> programs;
    const auto* items = fields.array("executions", batch_max);
    if (items == nullptr || items->empty()) {
      fields.refuse("executions", fmt::format("must have 1 to {} programs", batch_max));
    }
    if (auto read = fields.finish(); !read) return fail(read.error());
    for (std::size_t i = 0; i < items->size(); ++i) {
      programs.push_back(one((*items)[i], fmt::format("executions[{}]", i)));
    }
    return programs;
  }

  Result<OrderRequest> request(const std::string& body, Order::Kind kind) const {
    auto value = json::parse(body, json::Keys::strict);
    if (!value) return fail(std::move(value.error()));
    OrderRequest request;
    if (kind == Order::Kind::batch) {
      auto programs = batch(*value);
      if (!programs) return fail(std::move(programs.error()));
      request.programs = std::move(*programs);
    } else {
      auto program = one(*value, "");
      if (!program) return fail(std::move(program.error()));
      request.programs.push_back(std::move(program));
    }
    return request;
  }
};

Result<std::optional<executions::IdempotencyKey>> read_key(const Call& call) {
  std::optional<executions::IdempotencyKey> key;
  const auto& headers = call.exchange.request().headers;
  if (!headers.has("Idempotency-Key")) return key;
  auto text = headers.get("Idempotency-Key");
  bool sound = headers.count("Idempotency-Key") == 1 && !text.empty() && text.size() <= key_max &&
               std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (!sound) {
    return fail(ErrorKind::invalid, "invalid_idempotency_key",
                fmt::format("cannot take the program: the header 'Idempotency-Key' must have 1 to "
                            "{} visible ASCII characters and come once",
                            key_max));
  }
  key = {std::string{text}, {}};
  return key;
}

}  // namespace

async::task<Result<OrderRequest>> read_order(Call& call, Order::Kind kind) {
  auto key = read_key(call);
  if (!key) co_return fail(std::move(key.error()));
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  Reader reader{call.services.languages, bounds_for(call), call.services.executions};
  auto work = [&]() -> Result<OrderRequest> {
    auto request = reader.request(*body, kind);
    if (!request || !*key) return request;
    // A single program and a batch are different requests, whatever their bodies say.
    auto sort = kind == Order::Kind::batch ? "batch:" : "single:";
    request->key = {(*key)->key, sort + encoding::sha256_hex(*body)};
    return request;
  };
  auto request = co_await compute(call, body->size(), work);
  forget_body(call, *body);
  co_return request;
}

async::task<Result<executions::Receipt>> place(Call& call, Order order) {
  auto receipt = co_await call.services.executions.place(std::move(order));
  if (!receipt && receipt.error().kind == ErrorKind::exhausted) {
    call.retry_after = call.services.executions.retry_after();
  }
  co_return receipt;
}

}  // namespace gantry::api
