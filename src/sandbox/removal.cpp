#include "sandbox/removal.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "engine/containers.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds exit_max{10'000};
constexpr Milliseconds remove_max{30'000};
constexpr std::size_t at_once_max = 3;
constexpr std::size_t waiting_max = 16;
// The verdict reaches its caller first: taking a container down keeps a processor busy.
constexpr Milliseconds verdict_first{15};

}  // namespace

async::task<Result<>> end_and_remove(engine::Client& engine, std::string container, Ending ending) {
  if (ending == Ending::killed) {
    co_await async::attempt(engine::kill_container(engine, container, "SIGKILL"));
  }
  auto ended = co_await async::attempt(async::with_deadline(
      exit_max, "waiting for a sandbox to exit",
      engine::wait_container(engine, container, engine::WaitCondition::not_running)));
  if (!ended && ended.error().kind == ErrorKind::not_found) co_return fail(ended.error());
  co_return co_await async::attempt(async::with_deadline(
      remove_max, fmt::format("removing container '{}'", container),
      engine::remove_container(engine, container, {.force = true, .volumes = true})));
}

std::optional<Lease> Removal::lease(std::string label) {
  auto user = slots_.take();
  if (!user) return std::nullopt;
  labels_.insert(label);
  return Lease{.user_id = *user, .container = {}, .label = std::move(label)};
}

void Removal::give_back(const Lease& lease) {
  slots_.give_back(lease.user_id);
  labels_.erase(lease.label);
  changed_.notify();
}

void Removal::later(Lease lease, Ending ending, std::shared_ptr<void> talk) {
  waiting_.push_back({std::move(lease), ending, std::move(talk)});
  pump();
}

void Removal::pump() {
  while (removing_ < at_once_max && !waiting_.empty()) {
    auto item = std::move(waiting_.front());
    waiting_.pop_front();
    ++removing_;
    tasks_.spawn("removal of a sandbox", remove(std::move(item)));
  }
}

async::task<void> Removal::remove(Item item) {
  if (item.ending == Ending::by_itself) co_await async::pause(verdict_first);
  item.talk.reset();
  auto removed = co_await async::attempt(now(std::move(item.lease), item.ending));
  --removing_;
  changed_.notify();
  pump();
}

async::task<void> Removal::now(Lease lease, Ending ending) {
  auto removed = co_await end_and_remove(engine_, lease.container, ending);
  if (!removed && removed.error().kind != ErrorKind::not_found) {
    log::warn("{}; the sweep will try again", removed.error().sentence());
  }
  give_back(lease);
}

async::task<void> Removal::room() {
  while (waiting_.size() >= waiting_max) co_await changed_.wait();
}

async::task<void> Removal::settled() {
  while (removing_ > 0 || !waiting_.empty()) co_await changed_.wait();
}

async::task<void> Removal::close(Milliseconds grace) {
  auto gone = co_await async::attempt(
      async::with_deadline(grace, "removing the last sandboxes", settled()));
  if (!gone) log::warn("{}", gone.error().sentence());
  waiting_.clear();
  co_await tasks_.close();
}

}  // namespace gantry::sandbox
