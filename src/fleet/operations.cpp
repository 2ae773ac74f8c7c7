#include "fleet/operations.hpp"

#include "base/counted.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t parameters_bytes_max = 2048;
constexpr std::size_t depth_max = 16;
constexpr Milliseconds row_max{10'000};

std::string_view word(access::How how) {
  switch (how) {
    case access::How::session:
      return "session";
    case access::How::token:
      return "token";
    case access::How::local:
      return "local";
  }
  return {};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// `psql postgres://u:p@h a://b` -> `psql postgres://u:********@h a://b`
std::string without_url_passwords(std::string_view text) {
  constexpr std::string_view mark = "://";
  std::string out;
  while (!text.empty()) {
    auto first = text.find(mark);
    auto next = first == std::string_view::npos ? first : text.find(mark, first + mark.size());
    if (next == std::string_view::npos) next = text.size();
    // The next URL's scheme goes with it: what stands there is no password.
    while (next < text.size() && next > first + mark.size() && is_letter(text[next - 1])) --next;
    out += text::without_url_password(text.substr(0, next));
    text.remove_prefix(next);
  }
  return out;
}

/// `PASSWORD=x` -> `PASSWORD=********`
std::string masked_text(std::string_view text) {
  auto equals = text.find('=');
  if (equals == std::string_view::npos || !text::names_secret(text.substr(0, equals))) {
    return without_url_passwords(text);
  }
  return fmt::format("{}={}", text.substr(0, equals), text::mask);
}

json::Value masked_value(const json::Value& value, std::size_t depth);

json::Object masked_object(const json::Object& object, std::size_t depth) {
  json::Object out;
  for (const auto& member : object) {
    bool secret = text::names_secret(member.key());
    out[member.key()] = secret ? json::Value(text::mask) : masked_value(member.value(), depth);
  }
  return out;
}

json::Value masked_value(const json::Value& value, std::size_t depth) {
  if (depth == 0) return json::Value(text::mask);
  if (const auto* object = value.if_object()) return masked_object(*object, depth - 1);
  if (const auto* text = value.if_string()) return json::Value(masked_text(*text));
  if (const auto* array = value.if_array()) {
    json::Array out;
    for (const auto& item : *array) out.push_back(masked_value(item, depth - 1));
    return out;
  }
  return value;
}

/// The JSON of an entry: what both rows say, and what one of them adds.
std::string details_text(json::Object details, std::string_view key, const json::Object& more) {
  if (!more.empty()) {
    auto shown = masked(more);
    auto size = json::serialize(json::Value(shown)).size();
    if (size <= parameters_bytes_max) {
      details[key] = std::move(shown);
    } else {
      details[fmt::format("{}_bytes", key)] = size;
    }
  }
  return json::serialize(json::Value(std::move(details)));
}

json::Object details_of(const Operation& operation) {
  return {{"operation", random::word(16)},
          {"host", operation.host},
          {"user_id", operation.actor.id},
          {"by", operation.actor.by}};
}

access::AuditEntry entry_of(const Operation& operation, const json::Object& details,
                            std::string_view outcome) {
  auto target = operation.object.empty() ? operation.host
                                         : fmt::format("{}/{}", operation.host, operation.object);
  return {.actor = operation.actor.name,
          .action = operation.action,
          .target = std::move(target),
          .outcome = std::string{outcome},
          .details = details_text(details, "parameters", operation.parameters)};
}

/// What both rows of an operation share.
std::string read_id(const json::Value& details) {
  json::Fields fields{details, "", json::Keys::tolerant};
  return fields.text("operation").value_or("");
}

std::unexpected<Error> not_audited(const Operation& operation, const Error& cause) {
  return fail(ErrorKind::unavailable, "audit_unavailable",
              fmt::format("cannot do '{}' on '{}': the audit log can not be written, so nothing "
                          "was done: {}",
                          operation.action, operation.host, cause.message),
              cause.remedy.empty() ? "look at the server's disk and its database" : cause.remedy);
}

}  // namespace

Actor actor_of(const access::Identity& identity) {
  return {.name = identity.name, .id = identity.user.text(), .by = std::string{word(identity.how)}};
}

json::Object masked(const json::Object& parameters) { return masked_object(parameters, depth_max); }

Operations::Operations(async::Executor executor, storage::Database& database, Settings settings)
    : database_{database},
      settings_{std::move(settings)},
      freed_{executor},
      last_rows_{std::move(executor)} {}

Operations::~Operations() = default;

async::task<void> Operations::wait_for_turn(Queue& queue) {
  while (queue.running >= settings_.running_max) co_await freed_.wait();
}

async::task<Result<Operations::Turn>> Operations::take_turn(std::string host) {
  // The map's own place: it is erased only when nobody runs or waits.
  auto& queue = queues_[host];
  if (queue.running >= settings_.running_max) {
    if (queue.waiting >= settings_.waiting_max) {
      co_return fail(ErrorKind::exhausted, "host_busy",
                     fmt::format("cannot change anything on host '{}' now: {} operations wait for "
                                 "their turn already",
                                 host, queue.waiting),
                     "try again later");
    }
    Counted mark{queue.waiting};
    auto waited = co_await async::attempt(async::with_deadline(
        settings_.turn_max, "waiting for other operations on the host", wait_for_turn(queue)));
    if (!waited) {
      co_return fail(ErrorKind::exhausted, "host_busy",
                     fmt::format("cannot change anything on host '{}' now: {} operations run on it",
                                 host, queue.running),
                     "try again later");
    }
  }
  ++queue.running;
  co_return Turn{*this, std::move(host)};
}

void Operations::leave(const std::string& host) {
  auto found = queues_.find(host);
  if (found == queues_.end()) return;
  --found->second.running;
  if (found->second.running == 0 && found->second.waiting == 0) queues_.erase(found);
  freed_.notify();
}

async::task<Result<>> Operations::write(access::AuditEntry entry) {
  auto work = [&entry, at = settings_.clock.now()](storage::Transaction& transaction) {
    access::audit::append(transaction, entry, at);
  };
  co_return co_await async::attempt(storage::transact(database_, work));
}

async::task<void> Operations::write_last(access::AuditEntry entry) {
  auto written = co_await async::attempt(
      async::with_deadline(row_max, "writing the outcome of an operation", write(entry)));
  if (written) co_return;
  log::error("the outcome '{}' of {} on '{}' is not in the audit log: {}", entry.outcome,
             entry.action, entry.target, written.error().sentence());
}

async::task<Result<Operations::Underway>> Operations::begin(Operation operation) {
  auto details = details_of(operation);
  auto entry = entry_of(operation, details, "begun");
  auto written = co_await write(entry);
  if (!written) co_return not_audited(operation, written.error());
  co_return Underway{*this, std::move(entry), std::move(details)};
}

async::task<Result<>> Operations::note(Operation operation) {
  auto written = co_await write(entry_of(operation, details_of(operation), "ok"));
  if (!written) co_return not_audited(operation, written.error());
  co_return ok;
}

async::task<void> Operations::close() { return last_rows_.join(); }

Operations::Underway::Underway(Operations& operations, access::AuditEntry entry,
                               json::Object details)
    : operations_{&operations}, entry_{std::move(entry)}, details_{std::move(details)} {
  id_ = read_id(json::Value(details_));
}

Operations::Underway::~Underway() {
  if (operations_ != nullptr) tell("interrupted", {});
}

void Operations::Underway::succeeded(const json::Object& facts) { tell("ok", facts); }

void Operations::Underway::failed(const Error& error, json::Object facts) {
  facts["error"] = error.message;
  tell(error.kind == ErrorKind::timed_out ? "timed_out" : error.code, facts);
}

void Operations::Underway::tell(std::string outcome, const json::Object& facts) {
  auto* operations = std::exchange(operations_, nullptr);
  if (operations == nullptr) return;
  auto took = std::chrono::duration_cast<Milliseconds>(steady_now() - began_);
  details_["took_ms"] = took.count();
  entry_.details = details_text(std::move(details_), "facts", facts);
  entry_.outcome = std::move(outcome);
  operations->last_rows_.spawn("outcome of an operation",
                               operations->write_last(std::move(entry_)));
}

}  // namespace gantry::fleet
