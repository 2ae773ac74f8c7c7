#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "sandbox/cgroups.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/local_nursery.hpp"
#include "sandbox/pool.hpp"
#include "sandbox/slots.hpp"
#include "sandbox/warmth.hpp"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry::sandbox {

/// What may run where no control group limits memory.
enum class Trust {
  nobody,    ///< Nothing: what can not be limited is not run.
  everyone,  ///< Whatever comes: the owner says that it can be trusted.
};

/// Runs each program in fresh namespaces of this machine, over its /usr, without an engine
/// (docs/adr/0017).
class LocalExecutor final : public Executor {
 public:
  struct Settings {
    std::string owner;  ///< The server's lasting id: a crash's control groups are found by it.
    Trust trust = Trust::nobody;
    std::size_t prepared_max = 8;  ///< How many of each kind wait for their programs.
    Languages languages = shipped_languages();
    CgroupLayout cgroups = own_cgroup_layout();
  };

  LocalExecutor(async::Executor executor, Settings settings);
  ~LocalExecutor() override;

  async::task<Outcome> execute(Execution execution, Observer observer) override;
  /// Keeps sandboxes prepared; runs until cancelled.
  async::task<void> maintain() override;
  /// Ends what waits and removes the control groups; called last.
  async::task<void> close();

  /// Whether it can run anything here, found out by running `true`. Refused, with the reason:
  /// unavailable (`no_local_sandbox`, `no_nursery`), denied (`local_not_trusted`).
  async::task<Result<>> probe();
  /// What waits for programs, by class; nothing before the first program.
  std::vector<PoolView> views() const;
  /// Throws where `check` refuses everything.
  const CgroupCapabilities& capabilities() { return opened().capabilities(); }
  /// What of a request this executor can not keep: a custom image, another network than none,
  /// gVisor.
  Result<> check(const Execution& execution);

 private:
  struct Sandbox;
  struct Shelf;
  /// Whoever gives a sandbox up, in whatever way, leaves its end to `endings_`.
  struct Ending {
    LocalExecutor* local = nullptr;
    void operator()(Sandbox* sandbox) const;
  };
  using Held = std::unique_ptr<Sandbox, Ending>;

  /// Looks, when it is first needed, for what this machine has.
  Result<> open();
  Cgroups& opened();
  /// Whether a sandbox may be one that waits.
  enum class From { shelf, birth };
  async::task<Result<Held>> take(const Execution& execution, From from);
  async::task<std::optional<Outcome>> take_and_run(Held& sandbox, From from,
                                                   const Execution& execution,
                                                   const Observer& observer);
  async::task<Result<Held>> prepare(WarmClass warm, Policy policy);
  async::task<Result<>> give_birth(Sandbox& sandbox, const Policy& policy);
  async::task<Outcome> serve(const Execution& execution, const Observer& observer);
  /// Nothing: it waited, and had gone bad before its program started.
  async::task<std::optional<Outcome>> run_in(Sandbox& sandbox, const Execution& execution,
                                             const Observer& observer);
  /// Kills it, and waits until nothing of it runs any more.
  async::task<void> stop(Held& sandbox);
  async::task<void> end(std::unique_ptr<Sandbox> sandbox);
  async::task<void> wait_for_endings();
  async::task<void> keep_full(async::TaskScope& makers);
  async::task<void> fill(Shelf& shelf);
  async::task<void> make_one(Shelf& shelf);
  async::task<void> made_one(Shelf& shelf);

  async::Executor executor_;
  Settings settings_;
  std::optional<Cgroups> cgroups_;
  std::array<std::unique_ptr<LocalNursery>, 3> nurseries_;  ///< By interpreter.
  std::deque<Shelf> shelves_;
  Slots slots_;
  async::StopSignal wanted_;  ///< Set once somebody has run something.
  async::Event taken_;        ///< From a shelf, or put onto it.
  async::Event ended_;        ///< A sandbox has gone.
  async::TaskScope endings_;
};

}  // namespace gantry::sandbox
