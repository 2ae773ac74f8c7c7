#include "executions/image_keeper.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "engine/images.hpp"
#include "executions/image_store.hpp"

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr Milliseconds period{3'600'000};
constexpr Milliseconds remove_max{60'000};
// A time of use is written down only when it has moved by so much.
constexpr Seconds grain{3600};

}  // namespace

ImageKeeper::ImageKeeper(async::Executor executor, storage::Database& database,
                         engine::Client& engine, Settings settings)
    : database_{database}, engine_{engine}, settings_{std::move(settings)}, tasks_{executor} {}

async::task<void> ImageKeeper::start() {
  co_await image_store::migrate(database_);
  for (auto& image : co_await storage::transact(database_, &image_store::load)) {
    auto reference = image.reference;
    images_.emplace(std::move(reference), std::move(image));
  }
}

void ImageKeeper::note(const std::string& reference, sandbox::ImageUse use) {
  auto now = settings_.clock.now();
  auto found = images_.find(reference);
  if (use == sandbox::ImageUse::pulled) {
    images_[reference] = {reference, now, now};
  } else if (found == images_.end() || now - found->second.used_at < grain) {
    return;
  } else {
    found->second.used_at = now;
  }
  tasks_.spawn("note image", store(images_[reference]));
}

async::task<void> ImageKeeper::store(KeptImage image) {
  auto stored = co_await async::attempt(storage::transact(
      database_,
      [&image](storage::Transaction& transaction) { image_store::put(transaction, image); }));
  if (!stored) log::warn("cannot note image '{}': {}", image.reference, stored.error().sentence());
}

async::task<void> ImageKeeper::forget(std::string reference) {
  images_.erase(reference);
  co_await storage::transact(database_, [&reference](storage::Transaction& transaction) {
    image_store::remove(transaction, reference);
  });
}

async::task<void> ImageKeeper::maintain() {
  for (;;) {
    auto collected = co_await async::attempt(collect());
    if (!collected) {
      log::warn("cannot remove unused images: {}", collected.error().sentence());
    } else if (*collected > 0) {
      log::info("removed {} images that no program had asked for", *collected);
    }
    co_await async::pause(period);
  }
}

async::task<Result<int>> ImageKeeper::collect() {
  auto oldest = settings_.clock.now() - settings_.unused_max;
  std::vector<std::string> unused;
  for (const auto& [reference, image] : images_) {
    if (image.used_at < oldest) unused.push_back(reference);
  }
  int count = 0;
  for (const auto& reference : unused) {
    auto removed = co_await remove_unless_used(reference);
    if (!removed) co_return fail(removed.error());
    if (*removed) ++count;
  }
  co_return count;
}

async::task<Result<bool>> ImageKeeper::remove_unless_used(std::string reference) {
  auto details = co_await engine::inspect_image(engine_, reference);
  if (!details && details.error().kind != ErrorKind::not_found) co_return fail(details.error());
  if (!details) {
    co_await forget(reference);
    co_return false;
  }
  // A second name was given to it by somebody, who wants it.
  if (details->tags.size() > 1) co_return false;
  auto removed = co_await async::attempt(async::with_deadline(
      remove_max, fmt::format("removing image '{}'", reference),
      engine::remove_image(engine_, reference, engine::RemoveImage::unless_used)));
  if (!removed && removed.error().kind == ErrorKind::conflict) co_return false;  // a container's
  if (!removed) co_return fail(removed.error());
  co_await forget(reference);
  co_return true;
}

}  // namespace gantry::executions
