#include "sandbox/pool.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace gantry::sandbox {
namespace {

// Classes at once: more are more than any memory budget keeps warm.
constexpr std::size_t shelves_max = 32;
constexpr Milliseconds retry_first{1'000};
constexpr Milliseconds retry_longest{30'000};
// How often it looks by itself: for a place to become free, for what has grown old.
constexpr Milliseconds look_soon{20};
constexpr Milliseconds look_later{1'000};
// An unusual class has to come twice before anything is made for it.
constexpr std::size_t arrivals_of_unusual = 2;

async::task<void> pause_or(async::Event& event, Milliseconds pause) {
  co_await async::race(event.wait(), async::pause(pause));
}

/// Nothing comes from a container that waits: whatever does is its end.
async::task<void> listen_into(bool& died, Box& box) {
  auto reason = co_await async::attempt(box.session.watch());
  if (reason) log::debug("a waiting sandbox is of no use any more: {}", text::one_line(*reason));
  died = true;
}

}  // namespace

Pool::Pool(async::Executor executor, PoolSettings settings, World world)
    : settings_{settings}, world_{std::move(world)}, changed_{executor}, tasks_{executor} {}

Pool::Shelf& Pool::shelf_of(const WarmClass& wanted, const ServedImage& image) {
  if (auto found = shelves_.find(wanted); found != shelves_.end()) return found->second;
  forget_other_images(image);
  if (shelves_.size() >= shelves_max) {
    auto oldest = std::ranges::min_element(shelves_, {},
                                           [](const auto& entry) { return entry.second.used_at; });
    empty(oldest->second);
    shelves_.erase(oldest);
  }
  auto& shelf = shelves_[wanted];
  shelf.image = image;
  return shelf;
}

/// What a name meant before it was given to another image.
void Pool::forget_other_images(const ServedImage& image) {
  for (auto entry = shelves_.begin(); entry != shelves_.end();) {
    auto& [warm_class, shelf] = *entry;
    if (shelf.image.name != image.name || warm_class.image_id == image.id) {
      ++entry;
    } else {
      empty(shelf);
      entry = shelves_.erase(entry);
    }
  }
}

void Pool::empty(Shelf& shelf) {
  for (auto& box : shelf.ready) world_.discard(std::move(box));
  shelf.ready.clear();
}

BoxPtr Pool::take(const WarmClass& wanted, const ServedImage& image, const Policy& policy,
                  const std::function<bool(const Box&)>& fits) {
  if (settings_.ready_max == 0 || closing_) return nullptr;
  auto& shelf = shelf_of(wanted, image);
  shelf.policy = policy;
  shelf.used_at = world_.now();
  shelf.demand.arrived(shelf.used_at);
  auto usable = [&](const BoxPtr& box) { return !box->died && fits(*box); };
  auto same = [&](const BoxPtr& box) {
    return usable(box) && box->resources == resources_of(policy);
  };
  auto found = std::ranges::find_if(shelf.ready, same);
  if (found == shelf.ready.end()) found = std::ranges::find_if(shelf.ready, usable);
  if (found == shelf.ready.end()) return nullptr;
  auto box = std::move(*found);
  shelf.ready.erase(found);
  std::erase_if(shelf.taken, [](const auto& used) { return used.expired(); });
  shelf.taken.push_back(box);
  return box;
}

async::task<bool> Pool::hand_over(BoxPtr box) {
  box->wanted.stop();
  while (box->watched) co_await box->changed.wait();
  co_return !box->died;
}

void Pool::count_hit(const WarmClass& warm_class) {
  if (auto found = shelves_.find(warm_class); found != shelves_.end()) ++found->second.hits;
}

void Pool::count_miss(const WarmClass& warm_class) {
  if (auto found = shelves_.find(warm_class); found != shelves_.end()) ++found->second.misses;
}

async::task<void> Pool::maintain() {
  for (;;) {
    tidy();
    refill();
    if (shelves_.empty())
      co_await changed_.wait();
    else
      co_await pause_or(changed_, satisfied() ? look_later : look_soon);
  }
}

/// Lets go of what died, what is too old, and classes that nobody uses any more.
void Pool::tidy() {
  auto now = world_.now();
  for (auto entry = shelves_.begin(); entry != shelves_.end();) {
    auto& shelf = entry->second;
    std::erase_if(shelf.ready, [&](const BoxPtr& box) {
      if (!box->died && now - box->made_at < settings_.age_max) return false;
      world_.discard(box);
      return true;
    });
    if (now - shelf.used_at < settings_.idle_max) {
      ++entry;
    } else {
      empty(shelf);
      entry = shelves_.erase(entry);
    }
  }
}

std::size_t Pool::wanted(const WarmClass& warm_class, const Shelf& shelf) const {
  if (!warm_class.usual() && shelf.demand.arrivals() < arrivals_of_unusual) return 0;
  return shelf.demand.wanted(world_.now(), settings_.ready_min, settings_.ready_max);
}

/// The class that lacks the most of what it should have.
Pool::Shelves::iterator Pool::neediest() {
  auto needed = shelves_.end();
  double least = 1;
  for (auto entry = shelves_.begin(); entry != shelves_.end(); ++entry) {
    const auto& shelf = entry->second;
    auto should = wanted(entry->first, shelf);
    auto have = shelf.ready.size() + shelf.making;
    if (have >= should || world_.now() < shelf.retry_at) continue;
    auto calm = shelf.ready.empty() ? settings_.calm_when_empty : settings_.calm;
    if (world_.now() - shelf.used_at < calm) continue;
    auto share = static_cast<double>(have) / static_cast<double>(should);
    if (share >= least) continue;
    least = share;
    needed = entry;
  }
  return needed;
}

/// Whether one more of the class is within the memory budget, after what other classes have too
/// many of was let go.
bool Pool::affordable(const WarmClass& warm_class) {
  auto limit = settings_.memory;
  Bytes sum = cost_of(warm_class.interpreter);
  for (const auto& [other, shelf] : shelves_) {
    sum.count += cost_of(other.interpreter).count * (shelf.ready.size() + shelf.making);
  }
  for (auto& [other, shelf] : shelves_) {
    while (sum > limit && shelf.ready.size() + shelf.making > wanted(other, shelf) &&
           !shelf.ready.empty()) {
      world_.discard(std::move(shelf.ready.front()));
      shelf.ready.pop_front();
      sum.count -= cost_of(other.interpreter).count;
    }
  }
  return sum <= limit;
}

void Pool::refill() {
  auto limit = runs_ > 0 ? std::min<std::size_t>(settings_.making_max, 1) : settings_.making_max;
  while (making_ < limit) {
    auto entry = neediest();
    if (entry == shelves_.end() || !affordable(entry->first)) return;
    ++making_;
    ++entry->second.making;
    tasks_.spawn("making a waiting sandbox",
                 make_one(entry->first, entry->second.image, entry->second.policy));
  }
}

async::task<void> Pool::make_one(WarmClass warm_class, ServedImage image, Policy policy) {
  auto begun = world_.now();
  // The executor's own clean-up has run when this answers, also when it was cancelled.
  auto made = co_await async::attempt(world_.make(warm_class, std::move(image), policy));
  --making_;
  changed_.notify();
  auto found = shelves_.find(warm_class);
  if (found != shelves_.end() && found->second.making > 0) --found->second.making;
  if (!made) {
    log::warn("cannot keep a sandbox waiting: {}", made.error().sentence());
    if (found == shelves_.end()) co_return;
    auto& shelf = found->second;
    ++shelf.failures;
    shelf.last_error = made.error();
    shelf.retry_pause = std::clamp(shelf.retry_pause * 2, retry_first, retry_longest);
    shelf.retry_at = world_.now() + shelf.retry_pause;
    co_return;
  }
  auto box = std::move(*made);
  if (found == shelves_.end() || closing_) {
    world_.discard(std::move(box));
    co_return;
  }
  auto& shelf = found->second;
  auto took = world_.now() - begun;
  shelf.demand.made(std::chrono::duration_cast<Milliseconds>(took));
  shelf.retry_pause = Milliseconds{0};
  shelf.last_error.reset();
  box->made_at = world_.now();
  box->watched = true;
  shelf.ready.push_back(box);
  tasks_.spawn("watch over a waiting sandbox", watch(std::move(box)));
}

async::task<void> Pool::watch(BoxPtr box) {
  // Also when it is cancelled: who takes the box waits for it.
  std::shared_ptr<void> over{nullptr, [box](void*) {
                               box->watched = false;
                               box->changed.notify();
                             }};
  auto ended =
      co_await async::attempt(async::race(listen_into(box->died, *box), box->wanted.wait()));
  if (!ended) box->died = true;
  if (box->died) changed_.notify();
}

bool Pool::satisfied() const {
  return std::ranges::all_of(shelves_, [&](const auto& entry) {
    const auto& [warm_class, shelf] = entry;
    return shelf.ready.size() >= wanted(warm_class, shelf);
  });
}

async::task<void> Pool::close() {
  closing_ = true;
  co_await tasks_.close();
  for (auto& [warm_class, shelf] : shelves_) empty(shelf);
  shelves_.clear();
}

std::size_t Pool::in_use(const Shelf& shelf) {
  auto used = [](const auto& box) { return !box.expired(); };
  return static_cast<std::size_t>(std::ranges::count_if(shelf.taken, used));
}

std::vector<PoolView> Pool::views() const {
  std::vector<PoolView> views;
  auto now = world_.now();
  for (const auto& [warm_class, shelf] : shelves_) {
    Milliseconds oldest{0};
    if (!shelf.ready.empty()) {
      oldest = std::chrono::duration_cast<Milliseconds>(now - shelf.ready.front()->made_at);
    }
    views.push_back({.image = shelf.image.name,
                     .image_id = warm_class.image_id,
                     .interpreter = std::string{word(warm_class.interpreter)},
                     .description = warm_class.text(),
                     .ready = shelf.ready.size(),
                     .making = shelf.making,
                     .wanted = wanted(warm_class, shelf),
                     .in_use = in_use(shelf),
                     .arrivals = shelf.demand.arrivals(),
                     .hits = shelf.hits,
                     .misses = shelf.misses,
                     .failures = shelf.failures,
                     .oldest = oldest,
                     .memory = Bytes{cost_of(warm_class.interpreter).count *
                                     (shelf.ready.size() + shelf.making)},
                     .last_error = shelf.last_error});
  }
  return views;
}

}  // namespace gantry::sandbox
