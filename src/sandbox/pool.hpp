#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "sandbox/box.hpp"
#include "sandbox/demand.hpp"
#include "sandbox/images.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/warmth.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry::sandbox {

/// How many containers wait, and for how long.
struct PoolSettings {
  std::size_t ready_min = 1;   ///< Of each class that was used lately.
  std::size_t ready_max = 8;   ///< Of each class; 0: none wait at all.
  Bytes memory{512U << 20U};   ///< What all that wait are taken to cost together (`cost_of`).
  std::size_t making_max = 2;  ///< At once; one while programs run.
  /// While some still wait, more are made only after so long without a program: making one takes
  /// a processor for a tenth of a second.
  Milliseconds calm{30};
  Milliseconds calm_when_empty{10};  ///< The same while none waits.
  Milliseconds age_max{600'000};
  Milliseconds idle_max{600'000};  ///< After so long without a program a class is given up.
};

/// One class of waiting sandboxes, for people and metrics.
struct PoolView {
  std::string executor = "docker";  ///< Whose they are: `docker`, `local`
  std::string image;                ///< Empty for `local`.
  std::string image_id;
  std::string interpreter;  ///< `python`, `node`, `none`
  std::string description;  ///< WarmClass::text
  std::size_t ready = 0;
  std::size_t making = 0;
  std::size_t wanted = 0;
  std::size_t in_use = 0;  ///< Taken, and their programs have not ended.
  std::uint64_t arrivals = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t failures = 0;            ///< Of making one.
  Milliseconds oldest{0};                ///< Age of the oldest that waits.
  std::optional<Bytes> memory = {};      ///< What those that wait are taken to cost (`cost_of`).
  std::optional<Error> last_error = {};  ///< Of the latest attempt to make one; none: it worked.
};

/// Containers that wait for programs. Keeps as many as arrivals teach it to (Demand), makes new
/// ones a few at a time, and forgets those that died, grew old, or whose image is another by now.
/// Belongs to the loop. What it can not do is nobody's failure: a program without a box runs cold.
class Pool {
 public:
  /// What the pool needs of the world; tests bring their own.
  struct World {
    /// Answers a box that is ready, or leaves nothing behind; also when it is cancelled.
    std::function<async::task<Result<BoxPtr>>(WarmClass, ServedImage, Policy)> make;
    /// Takes what nobody will use.
    std::function<void(BoxPtr)> discard;
    std::function<SteadyTime()> now = steady_now;
  };

  Pool(async::Executor executor, PoolSettings settings, World world);

  /// A box of the class, still watched (`hand_over`); nothing when none waits. Counts an arrival.
  /// `fits` says whether a box that is there will do.
  BoxPtr take(const WarmClass& wanted, const ServedImage& image, const Policy& policy,
              const std::function<bool(const Box&)>& fits);
  /// Ends the watch over a box that was taken; false when it had died.
  async::task<bool> hand_over(BoxPtr box);
  /// What came of a box that was taken.
  void count_hit(const WarmClass& warm_class);
  void count_miss(const WarmClass& warm_class);

  /// While one exists, a program runs, and the pool makes only one container at a time.
  class Run {
   public:
    explicit Run(Pool& pool) : pool_{pool} { ++pool_.runs_; }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
      --pool_.runs_;
      pool_.changed_.notify();
    }

   private:
    Pool& pool_;
  };

  /// Keeps the pool as full as it should be; runs until cancelled.
  async::task<void> maintain();
  /// Discards everything that waits; called last.
  async::task<void> close();
  std::vector<PoolView> views() const;

 private:
  struct Shelf {
    ServedImage image;
    Policy policy;  ///< Of the latest arrival: its resources are the likeliest to fit.
    Demand demand;
    std::deque<BoxPtr> ready;
    std::vector<std::weak_ptr<Box>> taken;  ///< Some may have been used up since.
    std::size_t making = 0;
    SteadyTime used_at;
    SteadyTime retry_at;  ///< After a failure.
    Milliseconds retry_pause{0};
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t failures = 0;
    std::optional<Error> last_error;
  };
  using Shelves = std::map<WarmClass, Shelf>;

  Shelf& shelf_of(const WarmClass& wanted, const ServedImage& image);
  void empty(Shelf& shelf);
  void forget_other_images(const ServedImage& image);
  void tidy();
  void refill();
  std::size_t wanted(const WarmClass& warm_class, const Shelf& shelf) const;
  Shelves::iterator neediest();
  bool affordable(const WarmClass& warm_class);
  async::task<void> make_one(WarmClass warm_class, ServedImage image, Policy policy);
  async::task<void> watch(BoxPtr box);
  bool satisfied() const;
  static std::size_t in_use(const Shelf& shelf);

  PoolSettings settings_;
  World world_;
  Shelves shelves_;
  std::size_t making_ = 0;
  std::size_t runs_ = 0;
  bool closing_ = false;
  async::Event changed_;
  async::TaskScope tasks_;
};

}  // namespace gantry::sandbox
