#include "api/execution_json.hpp"
#include "api/live.hpp"
#include "async/deadline.hpp"
#include "executions/executions.hpp"

#include <map>
#include <vector>

// The states of executions, for live channels.
namespace gantry::api {
namespace {

using executions::ExecutionId;
using executions::Record;
using executions::State;

constexpr Milliseconds between_tellings{250};
constexpr int recent_executions = 50;

class Telling {
 public:
  explicit Telling(Call& call) : call_{call} {}

  /// What is in another state than was told. The unfinished ones come from memory. Those that have
  /// finished since are looked up; the newest records tell of those that came and went between.
  async::task<std::vector<Record>> changed() {
    auto& executions = call_.services.executions;
    std::map<ExecutionId, Record> now;
    auto page = co_await executions.list({.limit = recent_executions}, call_.reach());
    for (auto& record : executions.unfinished(call_.reach())) {
      now.insert_or_assign(record.id, std::move(record));
    }
    for (auto& record : page.items) now.try_emplace(record.id, std::move(record));
    for (const auto& [id, state] : told_) {
      if (state == State::finished || now.contains(id)) continue;
      auto ended = co_await executions.look_up(id, call_.reach());
      if (ended) now.emplace(id, std::move(*ended));
    }
    co_return take_news(std::move(now));
  }

 private:
  std::vector<Record> take_news(std::map<ExecutionId, Record> now) {
    std::map<ExecutionId, State> known;
    std::vector<Record> news;
    for (auto& [id, record] : now) {
      known.emplace(id, record.state);
      auto told = told_.find(id);
      // What had ended before the subscription is history, which is for GET /executions.
      bool is_news = told_before_ ? told == told_.end() || told->second != record.state
                                  : record.state != State::finished;
      if (is_news) news.push_back(std::move(record));
    }
    told_ = std::move(known);
    told_before_ = true;
    return news;
  }

  Call& call_;
  /// What the other side knows of each execution; only of those that may still be told.
  std::map<ExecutionId, State> told_;
  bool told_before_ = false;
};

}  // namespace

async::task<void> tell_executions(Call& call, const LiveWish& wish, LiveOutbox& out) {
  auto& executions = call.services.executions;
  Telling telling{call};
  for (;;) {
    auto version = executions.version();
    for (const auto& record : co_await telling.changed()) {
      co_await out.tell(wish.topic, "executions", execution_item_json(record));
    }
    co_await async::pause(between_tellings);
    while (executions.version() == version) co_await executions.changed();
  }
}

}  // namespace gantry::api
