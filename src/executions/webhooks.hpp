#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "executions/record.hpp"
#include "net/outside.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace gantry::executions {

/// Where a webhook goes.
struct WebhookTarget {
  std::string host;
  std::uint16_t port = 80;
  std::string path;  ///< With the query; begins with a slash.
};
/// Reads an `http://` address. Refused, invalid (`invalid_webhook`): other schemes (this server
/// speaks no TLS to others), credentials, fragments, over 2048 bytes.
Result<WebhookTarget> parse_webhook(std::string_view url);

/// Tells others that executions have ended: one POST each, signed, tried a few times.
///
/// What is untold is in the database, so that a stop loses nothing; one that was told in the very
/// moment of a crash may be told again.
class Webhooks {
 public:
  struct Settings {
    Secret secret;
    net::Reach reach = net::Reach::public_only;
    std::function<std::string(const Record&)> body;  ///< What is sent: JSON.
    Clock clock;
    int attempts_max = 6;
    Milliseconds first_pause{5'000};  ///< Doubles with every attempt.
    Milliseconds attempt_max{10'000};
  };

  Webhooks(async::Executor executor, storage::Database& database, Settings settings);

  /// Tells what an earlier process had not told. After Executions::start.
  async::task<void> start();
  /// Ends what is under way; it is told after the next start.
  async::task<void> close();

  /// Whether this address may be told: `parse_webhook`, and no address that this server must not
  /// reach. Names are judged when they are looked up.
  Result<> check(std::string_view url) const;
  /// Tells the end of an execution that has a webhook, beside the caller.
  void tell(Record record);

 private:
  async::task<void> load();
  async::task<void> deliver(Record record);
  async::task<void> try_deliver(const Record& record);
  async::task<Result<>> attempt(const WebhookTarget& target, const Record& record);
  async::task<unsigned> post(WebhookTarget target, std::string id, std::string body);

  async::Executor executor_;
  storage::Database& database_;
  Settings settings_;
  std::set<ExecutionId> pending_;
  bool more_on_disk_ = false;
  std::size_t talking_ = 0;
  async::Event changed_;
  async::TaskScope tasks_;
};

}  // namespace gantry::executions
