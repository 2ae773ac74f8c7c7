#include "sandbox/docker_executor.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/race.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "engine/refusal.hpp"
#include "sandbox/creation.hpp"
#include "sandbox/hardening.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/leftovers.hpp"
#include "sandbox/overrun.hpp"
#include "sandbox/session.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds create_max{30'000};
constexpr Milliseconds start_max{30'000};
constexpr Milliseconds boot_max{20'000};
constexpr Milliseconds update_max{5'000};
constexpr Milliseconds close_max{20'000};
// gantry-init keeps the time; this only ends executions whose gantry-init no longer can.
constexpr Milliseconds init_grace{20'000};
// How long a program may run in a container that waited as long as any does.
constexpr Milliseconds boxed_run_max{900'000};
constexpr Seconds sweep_period{60};
// What the engine was still creating for a server that was killed appears a little later.
constexpr Seconds early_sweep_period{5};
constexpr int early_sweeps = 6;

Outcome infrastructure_error(const Error& error) {
  return {{.verdict = Verdict::infrastructure_error,
           .message = error.sentence(),
           .error_code = error.code}};
}

/// What an end without a verdict is put down to. How the engine is reached, and why it can not be,
/// is not for everybody who reads this.
std::string complaint_of(const Result<>& talked, const Conversation& talk) {
  if (talked) return talk.complaint;
  if (!engine::is_of_the_way(talked.error())) return talked.error().sentence();
  log::warn("lost sight of a program: {}", talked.error().sentence());
  return "the engine can not be asked any more";
}

/// All the time that a program's stages may take.
Milliseconds time_of(const Execution& execution) {
  auto time = execution.policy.wall_time + init_grace;
  if (execution.program.compile) time += execution.program.compile->wall_time + init_grace;
  if (execution.workspace) time += 2 * travel_max(*execution.workspace);
  return time;
}

/// A file can not be larger than the folder it lies in.
Policy effective(Policy policy) {
  policy.file = std::min(policy.file, policy.tmpfs);
  return policy;
}

/// Whether a program has begun, beside whoever else watches it.
Observer noting(const Observer& observer, bool& began) {
  auto watcher = observer;
  watcher.started = [&began, told = observer.started](Stage stage) {
    began = true;
    told(stage);
  };
  return watcher;
}

async::task<void> talk_into(Conversation& talk, InitSession& session, const Execution& execution,
                            const std::vector<std::string>& image_env, const Observer& observer,
                            init::Start start) {
  talk = co_await session.run(execution, image_env, observer, start);
}

async::task<void> prepare(BoxPtr box, std::optional<init::Boot> boot) {
  auto ready = co_await async::attempt(box->session.prepare(std::move(boot)));
  if (!ready) throw Failure{ready.error()};
}

Outcome killed_late(const Policy& policy) {
  return {{.verdict = Verdict::timed_out,
           .message = "did not end in time; its container was killed",
           .wall_time = policy.wall_time}};
}

}  // namespace

DockerExecutor::DockerExecutor(async::Executor executor, engine::Client& engine, Settings settings)
    : executor_{executor},
      engine_{engine},
      settings_{std::move(settings)},
      images_{executor, engine, settings_.images},
      image_memory_{executor, images_},
      init_volume_{executor, engine, settings_.owner},
      capabilities_{engine},
      removal_{executor, engine},
      outbound_{executor,
                engine,
                removal_,
                init_volume_,
                {.owner = settings_.owner, .wishes = settings_.outbound, .clock = settings_.clock}},
      pool_{executor,
            settings_.pool,
            {.make =
                 [this](WarmClass warm_class, ServedImage image, Policy policy) {
                   return make_box(std::move(warm_class), std::move(image), std::move(policy));
                 },
             .discard =
                 [this](BoxPtr box) {
                   box->wanted.stop();
                   removal_.later(box->lease, Ending::killed);
                 }}} {}

async::task<Result<>> DockerExecutor::check(Policy policy) {
  if (auto refused = known_refusal(policy); !refused) co_return refused;
  co_return co_await capabilities_.check(policy);
}

Result<> DockerExecutor::known_refusal(const Policy& policy) const {
  return policy.network == Network::outbound ? outbound_.remembered(policy) : ok;
}

async::task<Outcome> DockerExecutor::execute(Execution execution, Observer observer) {
  auto possible = co_await capabilities_.check(execution.policy);
  if (!possible) co_return infrastructure_error(possible.error());
  auto image =
      co_await image_memory_.resolve(execution.program.image, execution.logins, observer.progress);
  if (!image) co_return infrastructure_error(image.error());
  if (execution.policy.network == Network::outbound) {
    auto proven = co_await outbound_.prove(*image, execution.policy, observer.progress);
    if (!proven) co_return infrastructure_error(proven.error());
  }
  auto served = image->name;
  if (observer.serving) observer.serving(served);
  execution.policy = effective(std::move(execution.policy));
  auto outcome =
      co_await async::attempt(run(std::move(execution), std::move(observer), std::move(*image)));
  if (!outcome) outcome = infrastructure_error(outcome.error());
  outcome->served_image = std::move(served);
  outcome->executor = "docker";
  co_return std::move(*outcome);
}

async::task<Outcome> DockerExecutor::run(Execution execution, Observer observer,
                                         ServedImage image) {
  Pool::Run running{pool_};
  Run run{execution, observer, image};
  auto warm_class = warm_class_of(execution, image);
  auto last_moment = settings_.clock.now() + time_of(execution);
  auto fits = [&](const Box& box) { return box.deadline > last_moment; };
  if (execution.policy.network == Network::outbound) {
    Use use;
    auto outcome = co_await async::finally(run_outbound(use, run), give_up(use));
    co_return outcome ? std::move(*outcome) : infrastructure_error(outcome.error());
  }
  if (auto box = pool_.take(warm_class, image, execution.policy, fits)) {
    Use use{.lease = box->lease, .box = box};
    auto outcome = co_await async::finally(run_in_box(use, std::move(box), run), give_up(use));
    if (outcome) {
      pool_.count_hit(warm_class);
      outcome->warm = true;
      co_return std::move(*outcome);
    }
  }
  pool_.count_miss(warm_class);
  Use use;
  auto outcome = co_await async::finally(run_cold(use, run), give_up(use));
  co_return outcome ? std::move(*outcome) : infrastructure_error(outcome.error());
}

/// Nothing, when it turned out before the program began that the box is of no use.
async::task<std::optional<Outcome>> DockerExecutor::run_in_box(Use& use, BoxPtr box,
                                                               const Run& run) {
  const auto& policy = run.execution.policy;
  if (!co_await pool_.hand_over(box)) co_return std::nullopt;
  if (auto given = co_await give(*box, policy); !given) {
    log::warn("{}; the program gets a container of its own", given.error().sentence());
    co_return std::nullopt;
  }
  bool began = false;
  Conversation talk;
  Overrun overrun{executor_, run.execution, [&] { return speed_up(use.lease.container); }};
  auto watcher = overrun.watched(noting(run.observer, began));
  auto how =
      box->warm_class.interpreter == Interpreter::none ? init::Start::fresh : init::Start::waiting;
  auto talked = co_await async::attempt(async::with_deadline(
      time_of(run.execution), "the sandbox",
      async::with_companion(
          talk_into(talk, box->session, run.execution, run.image.env, watcher, how),
          overrun.relieve())));
  if (talk.outcome) {
    use.reported = true;
    co_return std::move(talk.outcome);
  }
  if (talk.compile) began = true;
  // A program that may have reached others is not begun twice.
  if (!began && policy.network == Network::none) co_return std::nullopt;
  if (!talked && talked.error().kind == ErrorKind::timed_out) co_return killed_late(policy);
  co_return co_await outcome_without_report(use.lease, complaint_of(talked, talk));
}

/// Gives a waiting container what the policy says of memory, processors and processes.
async::task<Result<>> DockerExecutor::give(const Box& box, const Policy& policy) {
  if (box.resources == resources_of(policy)) co_return ok;
  auto memory = static_cast<std::int64_t>(policy.memory.count);
  auto updated = co_await async::attempt(async::with_deadline(
      update_max, "updating a sandbox",
      engine::update_container(engine_, box.lease.container,
                               {.memory_bytes = memory,
                                .memory_swap_bytes = memory,
                                .nano_cpus = static_cast<std::int64_t>(policy.cpus * 1e9),
                                .pids_limit = pids_limit_of(policy)})));
  if (!updated) co_return fail(updated.error());
  co_return ok;
}

/// Nothing waits for a program with `outbound`: its namespace is nobody else's, either.
async::task<Result<Outcome>> DockerExecutor::run_outbound(Use& use, const Run& run) {
  auto deadline = settings_.clock.now() + create_max + 2 * start_max + time_of(run.execution);
  auto network = co_await outbound_.hold(use.holder, run.image, deadline);
  if (!network) co_return fail(network.error());
  use.network = *network;
  co_return co_await run_cold(use, run);
}

/// For the end of an overdue program.
async::task<Result<>> DockerExecutor::speed_up(std::string container) {
  auto updated = co_await async::attempt(async::with_deadline(
      update_max, "updating a sandbox",
      engine::update_container(
          engine_, container,
          {.nano_cpus = static_cast<std::int64_t>(Overrun::enough_cpus * 1e9)})));
  if (!updated) co_return fail(updated.error());
  co_return ok;
}

async::task<Result<Outcome>> DockerExecutor::run_cold(Use& use, const Run& run) {
  const auto& policy = run.execution.policy;
  use.lease.label = run.execution.id.text();
  auto limit = start_max + time_of(run.execution);
  auto stream =
      co_await attach_new(use, policy, run.image, settings_.clock.now() + create_max + limit);
  if (!stream) co_return fail(stream.error());

  // gantry-init is up some time before the engine answers that it is: talk to it meanwhile.
  bool began = false;
  Conversation talk;
  InitSession session{std::move(*stream)};
  Overrun overrun{executor_, run.execution, [&] { return speed_up(use.lease.container); }};
  auto watcher = overrun.watched(noting(run.observer, began));
  auto talked = co_await async::attempt(async::with_deadline(
      limit, "the sandbox",
      async::with_companion(async::both(talk_into(talk, session, run.execution, run.image.env,
                                                  watcher, init::Start::fresh),
                                        start(use.lease)),
                            overrun.relieve())));
  if (!talked && began && talked.error().kind == ErrorKind::timed_out) {
    co_return killed_late(policy);
  }
  if (!talked && !began) co_return fail(talked.error());
  use.reported = talk.outcome.has_value();
  if (talk.outcome) co_return std::move(*talk.outcome);
  co_return co_await outcome_without_report(use.lease, complaint_of(talked, talk));
}

async::task<Result<BoxPtr>> DockerExecutor::make_box(WarmClass warm_class, ServedImage image,
                                                     Policy policy) {
  Use use;
  co_return co_await async::finally(make_box_in(use, warm_class, image, policy), give_up(use));
}

async::task<Result<BoxPtr>> DockerExecutor::make_box_in(Use& use, const WarmClass& warm_class,
                                                        const ServedImage& image,
                                                        const Policy& policy) {
  use.lease.label = "waiting-" + random::word(20);
  auto deadline =
      settings_.clock.now() + create_max + start_max + settings_.pool.age_max + boxed_run_max;
  auto stream = co_await attach_new(use, policy, image, deadline);
  if (!stream) co_return fail(stream.error());
  auto box = std::make_shared<Box>(executor_, std::move(*stream));
  box->lease = use.lease;
  box->warm_class = warm_class;
  box->resources = resources_of(policy);
  box->deadline = deadline;
  auto ready = co_await async::attempt(async::with_deadline(
      start_max + boot_max, "booting a waiting sandbox",
      async::both(prepare(box, boot_of(warm_class, image)), start(use.lease))));
  if (!ready) co_return fail(ready.error());
  use.kept = true;
  co_return box;
}

/// A new container that is as it was asked for, and the way to the gantry-init in it.
async::task<Result<engine::AttachedStream>> DockerExecutor::attach_new(Use& use,
                                                                       const Policy& policy,
                                                                       const ServedImage& image,
                                                                       WallTime deadline) {
  co_await removal_.room();
  // Shielded: a container whose creation was interrupted would be nobody's.
  auto spec = co_await async::shielded(create(use, policy, image, deadline));
  if (!spec) co_return fail(spec.error());
  auto sound = co_await verify_as_asked(engine_, use.lease.container, *spec);
  if (!sound) co_return fail(sound.error());
  co_return co_await engine::attach_container(engine_, use.lease.container,
                                              engine::Framing::multiplexed);
}

async::task<Result<engine::ContainerSpec>> DockerExecutor::create(Use& use, const Policy& policy,
                                                                  const ServedImage& image,
                                                                  WallTime deadline) {
  auto volume = co_await init_volume_.ensure(image.id);
  if (!volume) co_return fail(volume.error());
  auto spec_of = [&](const Lease& lease) {
    return hardened_container(policy, image,
                              {.owner = settings_.owner,
                               .label = lease.label,
                               .user_id = lease.user_id,
                               .init_volume = *volume,
                               .deadline = deadline,
                               .network = use.network});
  };
  auto lease = co_await create_leased(engine_, removal_, use.lease.label, spec_of);
  if (!lease) co_return fail(lease.error());
  use.lease = *lease;
  co_return spec_of(*lease);
}

async::task<void> DockerExecutor::start(const Lease& lease) {
  auto started = co_await async::with_deadline(start_max, "starting a sandbox",
                                               engine::start_container(engine_, lease.container));
  if (started) co_return;
  // The usual cause is a volume that somebody removed: the next execution fills it again.
  init_volume_.distrust();
  throw Failure{started.error()};
}

async::task<Outcome> DockerExecutor::outcome_without_report(const Lease& lease,
                                                            std::string complaint) {
  // gantry-init died before it could report. When the kernel took it for memory, only the engine
  // knows; anything else is our failure.
  auto details = co_await async::attempt(engine::inspect_container(engine_, lease.container));
  if (details && details->state.oom_killed) {
    co_return Outcome{{.verdict = Verdict::memory_exceeded,
                       .signal = 9,
                       .message = "needed more memory than it was given"}};
  }
  auto cause = complaint.empty() && details ? details->state.error : complaint;
  if (cause.empty()) cause = "its container ended without a verdict";
  co_return Outcome{{.verdict = Verdict::infrastructure_error,
                     .message = fmt::format("cannot tell how the program ended: {}",
                                            text::shortened(text::one_line(cause), 500)),
                     .error_code = "sandbox_broken"}};
}

async::task<void> DockerExecutor::give_up(Use& use) {
  if (use.kept) co_return;
  if (!use.lease.container.empty()) {
    if (use.reported) {
      removal_.later(use.lease, Ending::by_itself, std::move(use.box));
    } else {
      co_await removal_.now(use.lease, Ending::killed);
    }
  }
  if (!use.holder.container.empty()) removal_.later(use.holder, Ending::killed);
}

async::task<void> DockerExecutor::prepull(std::vector<std::string> references) {
  for (const auto& reference : references) {
    auto image =
        co_await async::attempt(images_.resolve(reference, Logins::stored, [](std::string) {}));
    if (!image) log::warn("{}", image.error().sentence());
  }
}

async::task<void> DockerExecutor::maintain() {
  co_await async::both(sweep_now_and_then(), pool_.maintain());
}

async::task<void> DockerExecutor::sweep_now_and_then() {
  for (int sweeps = 1;; ++sweeps) {
    auto swept = co_await async::attempt(sweep());
    if (!swept)
      log::warn("cannot sweep sandboxes: {}", swept.error().sentence());
    else if (*swept > 0)
      log::info("removed {} sandboxes that a crash left behind", *swept);
    co_await async::pause(sweeps <= early_sweeps ? early_sweep_period : sweep_period);
  }
}

async::task<Result<int>> DockerExecutor::sweep() {
  auto listed = co_await engine::list_containers(engine_, engine::ListScope::all, {labels::owner});
  if (!listed) co_return fail(listed.error());
  auto now = settings_.clock.now();
  Keeper keeper{.owner = settings_.owner,
                .fills_volume = init_volume_.filling(),
                .knows = [this](const std::string& label) { return removal_.knows(label); }};
  int count = 0;
  for (const auto& container : *listed) {
    if (!left_behind(container, keeper, now)) continue;
    auto ending = container.state == "running" ? Ending::killed : Ending::by_itself;
    auto removed = co_await end_and_remove(engine_, container.id, ending);
    if (removed) {
      ++count;
    } else if (removed.error().kind != ErrorKind::not_found) {
      log::warn("{}", removed.error().sentence());
    }
  }
  co_return count;
}

async::task<void> DockerExecutor::close() {
  co_await pool_.close();
  co_await image_memory_.close();
  co_await removal_.close(close_max);
  co_await images_.close();
}

}  // namespace gantry::sandbox
