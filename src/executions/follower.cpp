#include "executions/live.hpp"

#include <utility>

// What happens to an execution, told to whoever follows it.
namespace gantry::executions {

async::task<Result<Record>> Executions::wait(ExecutionId id, Reach reach) {
  auto follower = co_await follow(std::move(id), std::move(reach));
  if (!follower) co_return fail(follower.error());
  while (co_await follower->next()) {
  }
  if (follower->record().state == State::finished) co_return follower->record();
  co_return fail(ErrorKind::unavailable, "server_stopping",
                 "cannot wait for the program: the server is being stopped before its turn",
                 "ask for the execution again later: it runs after the next start");
}

async::task<Result<Executions::Follower>> Executions::follow(ExecutionId id, Reach reach) {
  auto found = live_.find(id);
  if (found != live_.end() && reach.covers(found->second->record)) {
    co_return Follower{found->second};
  }
  auto stored = co_await find(id, std::move(reach));
  if (!stored) co_return fail(stored.error());
  // A finished execution is told again from its record.
  auto live = std::make_shared<Live>(executor_, Submission{}, std::move(*stored));
  if (live->record.state == State::finished) {
    live->add({.kind = Happening::Kind::output, .lengths = live->lengths()});
    live->add({.kind = Happening::Kind::verdict});
  } else {
    live->parked = true;
  }
  co_return Follower{std::move(live)};
}

async::task<std::optional<Happening>> Executions::Follower::next() {
  for (;;) {
    if (at_ < live_->entries.size()) {
      const auto& entry = live_->entries[at_];
      if (entry.kind != Happening::Kind::output) {
        ++at_;
        co_return Happening{.kind = entry.kind,
                            .text = entry.text,
                            .state = entry.state,
                            .stage = entry.channel.stage};
      }
      for (auto channel : all_channels) {
        auto index = index_of(channel);
        if (read_[index] >= entry.lengths[index]) continue;
        auto from = std::exchange(read_[index], entry.lengths[index]);
        co_return Happening{
            .kind = entry.kind,
            .stage = channel.stage,
            .stream = channel.stream,
            .bytes = kept_in(live_->record, channel).substr(from, read_[index] - from)};
      }
      if (at_ + 1 < live_->entries.size()) {
        ++at_;
        continue;
      }
    } else if (live_->parked ||
               (at_ > 0 && live_->entries.back().kind == Happening::Kind::verdict)) {
      co_return std::nullopt;
    }
    co_await live_->changed.wait();
  }
}

const Record& Executions::Follower::record() const { return live_->record; }

}  // namespace gantry::executions
