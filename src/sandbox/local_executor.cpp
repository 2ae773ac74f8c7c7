#include "sandbox/local_executor.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "sandbox/embedded.hpp"
#include "sandbox/overrun.hpp"
#include "sandbox/seccomp_filter.hpp"
#include "sandbox/session.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gantry::sandbox {
namespace {

constexpr int inodes = 16'384;
// Beside those of containers, whose ids the kernel would count together with ours.
constexpr int first_user = Slots::first + Slots::count;
constexpr Milliseconds interpreter_max{10'000};
// gantry-init keeps the time; this only ends executions whose gantry-init no longer can.
// gantry-init may take 17 s to say farewell: 2 to reap, 5 for output, 10 for artifacts.
constexpr Milliseconds init_grace{20'000};
constexpr Milliseconds exit_max{10'000};
// Between being told its program and starting it; a sandbox that waited may have gone bad.
constexpr Milliseconds start_max{5'000};
// A control group is empty a moment after its processes have gone.
constexpr std::array group_pauses{Milliseconds{1}, Milliseconds{3}, Milliseconds{10},
                                  Milliseconds{100}, Milliseconds{1'000}};
// What ends still has its memory: with so many, the next ones wait.
constexpr std::size_t endings_max = 32;
constexpr Milliseconds retry_after{10'000};
constexpr std::size_t making_max = 3;
// A booted one has memory of its own, and they are made one by one.
constexpr std::size_t nodes_max = 2;

Outcome infrastructure_error(const Error& error) {
  return {{.verdict = Verdict::infrastructure_error,
           .message = error.sentence(),
           .error_code = error.code}};
}

Error not_here(std::string_view what, std::string_view remedy) {
  return {ErrorKind::conflict, "not_with_local_executor",
          fmt::format("cannot run this program without a container engine: {}", what),
          std::string{remedy}};
}

/// Python forks out of a nursery that is one; everything else is started by gantry-init.
Interpreter nursery_of(Interpreter interpreter) {
  return interpreter == Interpreter::python ? interpreter : Interpreter::none;
}

async::task<void> run_session(InitSession& session, const Execution& execution,
                              const Observer& observer, init::Start start,
                              Conversation& conversation) {
  conversation = co_await session.run(execution, {}, observer, start);
}

async::task<void> stopping(async::task<void> work, async::StopSignal& signal) {
  co_await std::move(work);
  signal.stop();
}

/// Fails when the program has not begun in time; `session` stops `begun` at its end, too.
async::task<void> run_once_begun(async::task<void> session, async::StopSignal& begun) {
  co_await async::both(stopping(std::move(session), begun),
                       async::with_deadline(start_max, "beginning the program", begun.wait()));
}

async::task<Result<>> speed_up(Cgroup& group, Policy policy) {
  policy.cpus = Overrun::enough_cpus;
  co_return group.limit(policy);
}

/// It is PID 1 of its namespace: nothing in it outlives it.
void kill(const async::Descriptor& process) {
  ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

/// Programs have these rights on files, too: all that they can reach is /usr, but still.
void warn_of_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0) return;
  std::erase(groups, ::getegid());
  if (groups.empty()) return;
  log::warn(
      "local sandboxes: their programs keep this server's supplementary groups ({}), because only "
      "root can give them up; start the server without them",
      fmt::join(groups, ", "));
}

/// What is in flight to nurseries is counted against this limit (src/nursery/serve.c).
void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

/// One sandbox, from its birth to its end.
struct LocalExecutor::Sandbox {
  WarmClass warm;
  int slot = 0;
  std::optional<Cgroup> group;
  Newborn newborn;  ///< Without its stream once there is a session.
  std::unique_ptr<InitSession> session;
  bool waited = false;    ///< It was there before its program.
  bool reported = false;  ///< gantry-init gave its verdict: nothing of the program runs any more.
  std::shared_ptr<void> counted;  ///< While it is one of Shelf::in_use.
};

void LocalExecutor::Ending::operator()(Sandbox* sandbox) const {
  sandbox->counted.reset();
  local->endings_.spawn("ending a local sandbox", local->end(std::unique_ptr<Sandbox>{sandbox}));
}

/// Sandboxes of one class that wait for their programs.
struct LocalExecutor::Shelf {
  WarmClass warm;
  std::size_t most = 0;
  std::size_t making = 0;
  std::deque<Held> ready;
  std::size_t in_use = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t failures = 0;
  std::optional<Error> last_error;
};

LocalExecutor::LocalExecutor(async::Executor executor, Settings settings)
    : executor_{executor},
      settings_{std::move(settings)},
      wanted_{executor},
      taken_{executor},
      ended_{executor},
      endings_{executor} {
  Cgroups::remove_leftovers(settings_.cgroups, settings_.owner);
}

Cgroups& LocalExecutor::opened() {
  value_or_throw(open());
  return *cgroups_;
}

Result<> LocalExecutor::open() {
  if (cgroups_) return ok;
  auto filter = seccomp_filter(embedded::seccomp_profile());
  if (!filter) return fail(filter.error());
  raise_open_files();
  if (own_privilege() == Privilege::user_namespace) warn_of_groups();
  const Policy usual;
  for (auto interpreter : {Interpreter::none, Interpreter::python, Interpreter::node}) {
    nurseries_.at(static_cast<std::size_t>(interpreter)) = std::make_unique<LocalNursery>(
        executor_,
        LocalNursery::Settings{
            .interpreter = interpreter, .privilege = own_privilege(), .filter = *filter});
    auto most = settings_.prepared_max;
    if (interpreter == Interpreter::node) most = std::min(most, nodes_max);
    auto file = interpreter == Interpreter::none ? Bytes{} : usual.file;
    shelves_.push_back(
        {.warm = {.interpreter = interpreter, .file = file, .tmpfs = usual.tmpfs}, .most = most});
  }
  cgroups_ = Cgroups::open(settings_.cgroups, settings_.owner);
  log::info("local sandboxes: control groups for {}", cgroups_->capabilities().words());
  return ok;
}

LocalExecutor::~LocalExecutor() = default;

Result<> LocalExecutor::check(const Execution& execution) {
  const auto& program = execution.program;
  const auto& policy = execution.policy;
  constexpr auto* choose_docker = "ask for executor 'docker'";
  const auto* language = settings_.languages.find(program.language);
  if (language == nullptr || language->image != program.image) {
    return fail(not_here("it asks for an image", choose_docker));
  }
  if (policy.network != Network::none) {
    auto error =
        not_here("it asks for a network", "leave out 'network', or " + std::string{choose_docker});
    error.code = "network_not_available";
    return fail(std::move(error));
  }
  if (policy.runtime != Runtime::runc) return fail(not_here("it asks for gVisor", choose_docker));
  if (auto able = open(); !able) return able;
  if (!capabilities().memory && settings_.trust == Trust::nobody) {
    return fail(ErrorKind::denied, "local_not_trusted",
                "cannot run a program without a container engine: no control group limits its "
                "memory here",
                "let the server's user make control groups, or declare its programs trusted with "
                "'local_trusted'");
  }
  return ok;
}

async::task<Result<>> LocalExecutor::probe() {
  if (auto able = open(); !able) co_return able;
  Execution execution{.id = ExecutionId{"probe"}, .program = {.command = {"true"}}};
  auto sandbox = co_await prepare({.tmpfs = execution.policy.tmpfs}, execution.policy);
  if (!sandbox) co_return fail(sandbox.error());
  Observer nobody{.progress = [](std::string) {},
                  .serving = {},
                  .started = [](Stage) {},
                  .output = [](OutputStream, std::string_view) {}};
  auto outcome = co_await run_in(**sandbox, execution, nobody);
  if (outcome && outcome->verdict == Verdict::ok) co_return ok;
  co_return fail(ErrorKind::unavailable, "no_local_sandbox",
                 fmt::format("cannot use the local sandbox: {}",
                             outcome ? outcome->message : "it ended by itself"));
}

async::task<Outcome> LocalExecutor::execute(Execution execution, Observer observer) {
  Outcome outcome;
  if (auto able = check(execution); !able) {
    outcome = infrastructure_error(able.error());
  } else {
    outcome = co_await serve(execution, observer);
  }
  outcome.executor = "local";
  co_return outcome;
}

async::task<Outcome> LocalExecutor::serve(const Execution& execution, const Observer& observer) {
  for (auto from : {From::shelf, From::shelf, From::birth}) {
    Held sandbox;
    auto ran = co_await async::attempt(
        async::finally(take_and_run(sandbox, from, execution, observer), stop(sandbox)));
    if (!ran) co_return infrastructure_error(ran.error());
    if (*ran) co_return std::move(**ran);
    // What waited had gone bad; at the latest a fresh one answers.
  }
  Outcome outcome;
  outcome.message = "cannot run the program: its sandbox ended before it had begun";
  outcome.error_code = "sandbox_broken";
  co_return outcome;
}

async::task<std::optional<Outcome>> LocalExecutor::take_and_run(Held& sandbox, From from,
                                                                const Execution& execution,
                                                                const Observer& observer) {
  auto taken = co_await take(execution, from);
  if (!taken) co_return infrastructure_error(taken.error());
  sandbox = std::move(*taken);
  auto outcome = co_await run_in(*sandbox, execution, observer);
  if (outcome) outcome->warm = sandbox->waited;
  co_return outcome;
}

async::task<Result<LocalExecutor::Held>> LocalExecutor::take(const Execution& execution,
                                                             From from) {
  wanted_.stop();
  co_await wait_for_endings();
  auto warm = warm_class_of(execution, ServedImage{});
  // Without control groups its limits were set at its birth.
  const Policy usual;
  bool fits_any = capabilities().memory && capabilities().pids;
  bool fits =
      fits_any || (execution.policy.memory == usual.memory && execution.policy.pids == usual.pids);
  for (auto& shelf : shelves_) {
    if (shelf.warm != warm) continue;
    if (from == From::birth || !fits || shelf.ready.empty()) {
      ++shelf.misses;
      continue;
    }
    auto sandbox = std::move(shelf.ready.front());
    shelf.ready.pop_front();
    ++shelf.hits;
    ++shelf.in_use;
    sandbox->counted = std::shared_ptr<void>{nullptr, [&shelf](void*) { --shelf.in_use; }};
    taken_.notify();
    co_return sandbox;
  }
  auto plain = warm;
  plain.interpreter = Interpreter::none;
  // To boot a node for one program is no faster than to start it.
  if (warm.interpreter != Interpreter::python) co_return co_await prepare(plain, execution.policy);
  auto made = co_await prepare(warm, execution.policy);
  if (made) co_return made;
  co_return co_await prepare(plain, execution.policy);
}

async::task<Result<LocalExecutor::Held>> LocalExecutor::prepare(WarmClass warm, Policy policy) {
  Held sandbox{std::make_unique<Sandbox>().release(), Ending{this}};
  sandbox->warm = warm;
  auto born = co_await async::attempt(give_birth(*sandbox, policy));
  if (!born) co_return fail(born.error());
  co_return sandbox;
}

async::task<Result<>> LocalExecutor::give_birth(Sandbox& sandbox, const Policy& policy) {
  auto slot = slots_.take();
  if (!slot) {
    co_return fail(ErrorKind::exhausted, "no_sandbox_slot",
                   "cannot start a sandbox: all user ids for sandboxes are taken");
  }
  sandbox.slot = *slot;
  auto group = opened().make(fmt::format("{}", *slot));
  if (!group) co_return fail(group.error());
  sandbox.group.emplace(std::move(*group));
  if (auto limited = sandbox.group->limit(policy); !limited) co_return fail(limited.error());
  auto descriptors = sandbox.group->open();
  if (!descriptors) co_return fail(descriptors.error());

  auto& nursery = *nurseries_.at(static_cast<std::size_t>(nursery_of(sandbox.warm.interpreter)));
  Birth birth{};
  birth.user = static_cast<std::uint32_t>(first_user - Slots::first + *slot);
  birth.inodes_max = inodes;
  birth.tmpfs_bytes = policy.tmpfs.count;
  birth.file_bytes = policy.tmpfs.count;  // gantry-init sets the program's own, which is no larger
  if (nursery.settings().privilege == Privilege::user_namespace)
    birth.flags |= birth_user_namespace;
  if (policy.filesystem != Filesystem::sandbox) birth.flags |= birth_temporary_files;
  if (!capabilities().memory) birth.data_bytes = policy.memory.count;
  if (!capabilities().pids) birth.processes = static_cast<std::uint32_t>(policy.pids) + 1;
  auto born = co_await nursery.bear(birth, std::move(*descriptors), sandbox.newborn);
  if (!born) co_return fail(born.error());
  sandbox.session = std::make_unique<InitSession>(
      engine::AttachedStream{std::move(sandbox.newborn.stream), engine::Framing::raw});
  if (sandbox.warm.interpreter == Interpreter::none) co_return ok;
  co_return co_await async::with_deadline(
      interpreter_max, "booting an interpreter",
      sandbox.session->prepare(boot_of(sandbox.warm, ServedImage{})));
}

async::task<std::optional<Outcome>> LocalExecutor::run_in(Sandbox& sandbox,
                                                          const Execution& execution,
                                                          const Observer& observer) {
  if (auto limited = sandbox.group->limit(execution.policy); !limited) {
    co_return infrastructure_error(limited.error());
  }
  bool running = false;
  async::StopSignal begun{executor_};
  Overrun overrun{executor_, execution, [&] { return speed_up(*sandbox.group, execution.policy); }};
  auto watcher = overrun.watched(observer);
  watcher.started = [&, told = watcher.started](Stage stage) {
    running = true;
    begun.stop();
    told(stage);
  };
  auto start =
      sandbox.warm.interpreter == Interpreter::none ? init::Start::fresh : init::Start::waiting;
  auto limit = execution.policy.wall_time + init_grace;
  if (execution.program.compile) limit += execution.program.compile->wall_time + init_grace;
  if (execution.workspace) limit += 2 * travel_max(*execution.workspace);
  Conversation talk;
  auto session = run_session(*sandbox.session, execution, watcher, start, talk);
  if (sandbox.waited) session = run_once_begun(std::move(session), begun);
  auto talked = co_await async::attempt(async::with_deadline(
      limit, "the sandbox", async::with_companion(std::move(session), overrun.relieve())));
  sandbox.reported = talk.outcome.has_value();
  if (!talked && running && talked.error().kind == ErrorKind::timed_out) {
    co_return Outcome{{.verdict = Verdict::timed_out,
                       .message = "did not end in time; it was killed",
                       .wall_time = execution.policy.wall_time}};
  }
  if (talk.outcome) co_return std::move(*talk.outcome);
  // gantry-init died before it could report. Whether the kernel took it for memory is in its group.
  if (sandbox.group->oom_kills() > 0) {
    co_return Outcome{{.verdict = Verdict::memory_exceeded,
                       .signal = SIGKILL,
                       .message = "needed more memory than it was given"}};
  }
  if (sandbox.waited && !running) co_return std::nullopt;
  auto cause = talked ? talk.complaint : talked.error().sentence();
  if (cause.empty()) cause = "its sandbox ended without a verdict";
  co_return Outcome{{.verdict = Verdict::infrastructure_error,
                     .message = fmt::format("cannot tell how the program ended: {}",
                                            text::shortened(text::one_line(cause), 500)),
                     .error_code = "sandbox_broken"}};
}

async::task<void> LocalExecutor::stop(Held& sandbox) {
  if (sandbox && !sandbox->reported && sandbox->newborn.process) {
    kill(sandbox->newborn.process);
    co_await async::attempt(async::with_deadline(exit_max, "waiting for a sandbox to exit",
                                                 async::readable(sandbox->newborn.process)));
  }
  sandbox.reset();
}

async::task<void> LocalExecutor::end(std::unique_ptr<Sandbox> sandbox) {
  sandbox->session.reset();
  auto& process = sandbox->newborn.process;
  if (process) {
    kill(process);
    auto ended = co_await async::attempt(
        async::with_deadline(exit_max, "waiting for a sandbox to exit", async::readable(process)));
    if (!ended) {
      // Its user id and its control groups stay taken.
      log::warn("{}", ended.error().sentence());
      co_await async::readable(process);
    }
  }
  bool removed = !sandbox->group || sandbox->group->remove();
  for (auto pause : group_pauses) {
    if (removed) break;
    co_await async::pause(pause);
    removed = sandbox->group->remove();
  }
  // What could not be removed would pass its counts on to whoever got this slot.
  if (removed && sandbox->slot != 0) slots_.give_back(sandbox->slot);
  sandbox.reset();
  ended_.notify();
}

async::task<void> LocalExecutor::wait_for_endings() {
  if (endings_.size() < endings_max) co_return;
  co_await async::attempt(
      async::with_deadline(exit_max, "waiting for sandboxes to exit", ended_.wait()));
}

async::task<void> LocalExecutor::make_one(Shelf& shelf) {
  auto made = co_await async::attempt(prepare(shelf.warm, Policy{}));
  if (made) {
    (*made)->waited = true;
    shelf.last_error.reset();
    shelf.ready.push_back(std::move(*made));
  } else {
    // A machine without Node tells it once.
    if (!shelf.last_error || shelf.last_error->message != made.error().message) {
      log::warn("cannot prepare a local sandbox ({}): {}", word(shelf.warm.interpreter),
                made.error().sentence());
    }
    ++shelf.failures;
    shelf.last_error = made.error();
    co_await async::pause(retry_after);
  }
}

async::task<void> LocalExecutor::fill(Shelf& shelf) {
  co_await async::finally(make_one(shelf), made_one(shelf));
}

async::task<void> LocalExecutor::made_one(Shelf& shelf) {
  --shelf.making;
  taken_.notify();
  co_return;
}

std::vector<PoolView> LocalExecutor::views() const {
  std::vector<PoolView> views;
  for (const auto& shelf : shelves_)
    views.push_back({.executor = "local",
                     .interpreter = std::string{word(shelf.warm.interpreter)},
                     .description = shelf.warm.text(),
                     .ready = shelf.ready.size(),
                     .making = shelf.making,
                     .wanted = shelf.most,
                     .in_use = shelf.in_use,
                     .arrivals = shelf.hits + shelf.misses,
                     .hits = shelf.hits,
                     .misses = shelf.misses,
                     .failures = shelf.failures,
                     .last_error = shelf.last_error});
  return views;
}

async::task<void> LocalExecutor::maintain() {
  async::TaskScope makers{executor_};
  co_await async::finally(keep_full(makers), makers.close());
}

async::task<void> LocalExecutor::keep_full(async::TaskScope& makers) {
  // Where everything runs in containers nothing waits here.
  co_await wanted_.wait();
  for (;;) {
    for (auto& shelf : shelves_) {
      while (shelf.ready.size() + shelf.making < shelf.most && shelf.making < making_max) {
        ++shelf.making;
        makers.spawn("preparing a local sandbox", fill(shelf));
      }
    }
    co_await taken_.wait();
  }
}

async::task<void> LocalExecutor::close() {
  for (auto& shelf : shelves_) shelf.ready.clear();
  co_await async::attempt(
      async::with_deadline(exit_max, "waiting for sandboxes to exit", endings_.join()));
  co_await endings_.close();
  for (auto& nursery : nurseries_) nursery.reset();
  if (cgroups_) cgroups_->close();
}

}  // namespace gantry::sandbox
