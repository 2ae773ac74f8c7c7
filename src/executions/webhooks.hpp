#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "executions/record.hpp"
#include "executions/webhook_store.hpp"
#include "net/http_server.hpp"
#include "net/outside.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::executions {

/// Where a webhook goes.
struct WebhookTarget {
  net::http::Transport transport = net::http::Transport::plain;
  std::string host;
  std::uint16_t port = 80;
  std::string path;  ///< With the query; begins with a slash.
};
/// Reads an `http://` or `https://` address. Refused, invalid (`invalid_webhook`): other schemes,
/// credentials, fragments, over 2048 bytes.
Result<WebhookTarget> parse_webhook(std::string_view url);

/// Tells others that executions have ended: one POST each, signed, tried a few times.
///
/// What is untold, how often it was tried and when it is tried again is in the database, so that a
/// stop loses nothing and many that wait cost no memory. One that was told in the very moment of a
/// crash may be told again. Users take turns: whose deliveries under way are fewest is next, and
/// nobody has more than 4 of the 16.
class Webhooks {
 public:
  struct Settings {
    Secret secret;
    net::Reach reach = net::Reach::public_only;
    /// Whom https trusts; without it, whom the system trusts.
    std::optional<net::TlsClient> tls = {};
    std::function<std::string(const Record&)> body;  ///< What is sent: JSON.
    Clock clock;
    int attempts_max = 6;
    Milliseconds first_pause{5'000};  ///< Doubles with every attempt.
    Milliseconds attempt_max{10'000};
  };

  Webhooks(async::Executor executor, storage::Database& database, Settings settings);

  /// Begins to tell, also what an earlier process had not told. After Executions::start.
  async::task<void> start();
  /// Ends what is under way; it is told after the next start.
  async::task<void> close();

  /// Whether this address may be told: `parse_webhook`, and no address that this server must not
  /// reach. Names are judged when they are looked up.
  Result<> check(std::string_view url) const;
  /// Tells the end of an execution, beside the caller, once it is in the database; nothing when it
  /// has no webhook.
  void tell(const Record& record);

 private:
  async::task<void> work();
  /// Writes down what has ended, begins what is due, and answers when the next one is.
  async::task<std::optional<WallTime>> advance();
  async::task<void> until_woken(std::optional<WallTime> next);
  void wake();
  void begin_some(std::vector<store::Delivery> due);
  async::task<void> deliver(store::Delivery delivery);
  async::task<Result<>> attempt(ExecutionId id);
  async::task<unsigned> post(WebhookTarget target, std::string id, std::string body);
  /// Notes what became of an attempt, until that is written down.
  void note(const store::Delivery& delivery, const Result<>& told);

  async::Executor executor_;
  storage::Database& database_;
  Settings settings_;
  std::map<ExecutionId, std::string> under_way_;  ///< With whose they are.
  /// What is not written down yet. None of them begins again before it is, so there are never more
  /// than were under way at once.
  std::map<ExecutionId, store::Settled> settled_;
  bool woken_ = false;
  async::Event changed_;
  async::TaskScope tasks_;
};

}  // namespace gantry::executions
