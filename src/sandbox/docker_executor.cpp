#include "sandbox/docker_executor.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/race.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/session.hpp"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds create_max{30'000};
constexpr Milliseconds start_max{30'000};
constexpr Milliseconds exit_max{10'000};
constexpr Milliseconds remove_max{30'000};
// gantry-init keeps the time; this only ends executions whose gantry-init no longer can.
constexpr Milliseconds init_grace{10'000};
constexpr Seconds sweep_period{60};
// What the engine was still creating for a server that was killed appears a little later.
constexpr Seconds early_sweep_period{5};
constexpr int early_sweeps = 6;
// After its deadline anybody may remove a container whose server seems to be gone.
constexpr Seconds orphan_grace{60};
constexpr Seconds filler_grace{10};
constexpr int names_tried_max = 64;

Outcome infrastructure_error(const Error& error) {
  return {{.verdict = Verdict::infrastructure_error, .message = error.sentence()}};
}

/// Whether a container ends by itself or has to be killed first.
enum class Ending { by_itself, killed };

/// Waits for the container's end before it asks for its removal: an engine that is told to remove
/// what is just exiting sometimes keeps a ghost of it, listed for ever and found by nobody
/// (docs/adr/0016).
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

async::task<void> converse_into(Conversation& conversation, InitSession& session,
                                const Execution& execution, const ServedImage& image,
                                const Observer& observer) {
  conversation = co_await session.run(execution, image.env, observer);
}

std::string label(const engine::ContainerSummary& container, const char* name) {
  auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string{} : found->second;
}

/// When anybody may remove a container: the label is anybody's text, an image's among others, so
/// what is no time of this or the next century is no deadline.
std::optional<WallTime> deadline_of(const engine::ContainerSummary& container) {
  constexpr std::int64_t seconds_max = 10'000'000'000;
  auto text = label(container, labels::deadline);
  std::int64_t seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || seconds <= 0 || seconds > seconds_max) return std::nullopt;
  return WallTime{Seconds{seconds}};
}

/// What a container is by its kind and its name together: a container inherits the labels of its
/// image, but nobody else gives it our names.
enum class Kind { sandbox, filler, foreign };

Kind kind_of(const engine::ContainerSummary& container) {
  auto kind = label(container, labels::kind);
  auto named = [&](auto matches) { return std::ranges::any_of(container.names, matches); };
  if (kind == "sandbox" && named(Slots::is_container_name)) return Kind::sandbox;
  bool fills = named([](std::string_view name) { return name.starts_with(filler_name_begin); });
  return kind == "init-volume" && fills ? Kind::filler : Kind::foreign;
}

}  // namespace

DockerExecutor::DockerExecutor(async::Executor executor, engine::Client& engine, Settings settings)
    : engine_{engine},
      settings_{std::move(settings)},
      images_{executor, engine, settings_.images},
      init_volume_{executor, engine, settings_.owner} {}

async::task<Outcome> DockerExecutor::execute(Execution execution, Observer observer) {
  auto image = co_await images_.resolve(execution.program.image, observer.progress);
  if (!image) co_return infrastructure_error(image.error());
  auto served = image->name;
  if (observer.serving) observer.serving(served);
  auto outcome =
      co_await async::attempt(run(std::move(execution), std::move(observer), std::move(*image)));
  if (!outcome) outcome = infrastructure_error(outcome.error());
  outcome->served_image = std::move(served);
  outcome->executor = "docker";
  co_return std::move(*outcome);
}

async::task<Outcome> DockerExecutor::run(Execution execution, Observer observer,
                                         ServedImage image) {
  Lease lease;
  alive_.insert(execution.id);
  auto outcome = co_await async::finally(run_in(lease, execution, observer, image),
                                         give_up(lease, execution.id));
  co_return outcome ? std::move(*outcome) : infrastructure_error(outcome.error());
}

async::task<Result<Outcome>> DockerExecutor::run_in(Lease& lease, const Execution& execution,
                                                    const Observer& observer,
                                                    const ServedImage& image) {
  // Shielded: a container whose creation was interrupted would be nobody's.
  auto spec = co_await async::shielded(create(lease, execution, image));
  if (!spec) co_return fail(spec.error());
  if (auto sound = co_await verify(lease, *spec); !sound) co_return fail(sound.error());
  auto stream =
      co_await engine::attach_container(engine_, lease.container, engine::Framing::multiplexed);
  if (!stream) co_return fail(stream.error());

  // gantry-init is up some time before the engine answers that it is: talk to it meanwhile.
  bool running = false;
  auto watcher = observer;
  watcher.started = [&](Stage stage) {
    running = true;
    observer.started(stage);
  };
  InitSession session{std::move(*stream)};
  Conversation talk;
  auto limit = start_max + execution.policy.wall_time + init_grace;
  auto talked = co_await async::attempt(async::with_deadline(
      limit, "the sandbox",
      async::both(converse_into(talk, session, execution, image, watcher), start(lease))));
  if (!talked && running && talked.error().kind == ErrorKind::timed_out) {
    co_return Outcome{{.verdict = Verdict::timed_out,
                       .message = "did not end in time; its container was killed",
                       .wall_time = execution.policy.wall_time}};
  }
  if (!talked && !running) co_return fail(talked.error());
  lease.reported = talk.outcome.has_value();
  if (talk.outcome) co_return std::move(*talk.outcome);
  co_return co_await outcome_without_report(lease,
                                            talked ? talk.complaint : talked.error().sentence());
}

async::task<Result<engine::ContainerSpec>> DockerExecutor::create(Lease& lease,
                                                                  const Execution& execution,
                                                                  const ServedImage& image) {
  auto volume = co_await init_volume_.ensure(image.id);
  if (!volume) co_return fail(volume.error());
  Placement placement{.owner = settings_.owner,
                      .init_volume = *volume,
                      .deadline = settings_.clock.now() + create_max + start_max +
                                  execution.policy.wall_time + init_grace};
  for (int tried = 0; tried < names_tried_max; ++tried) {
    auto user = slots_.take();
    if (!user) break;
    placement.user_id = *user;
    auto spec = hardened_container(execution, image, placement);
    auto created = co_await async::attempt(async::with_deadline(
        create_max, "creating a sandbox",
        engine::create_container(engine_, Slots::container_name(*user), spec)));
    if (created) {
      lease = {.user_id = *user, .container = created->id};
      co_return spec;
    }
    slots_.give_back(*user);
    // A conflict means that another server on this engine has the slot: take the next.
    if (created.error().kind != ErrorKind::conflict) co_return fail(created.error());
  }
  co_return fail(ErrorKind::exhausted, "no_sandbox_slot",
                 "cannot start a sandbox: all user ids for sandboxes are taken on this engine",
                 "remove containers named gantry-sandbox-… that nobody uses");
}

async::task<Result<>> DockerExecutor::verify(const Lease& lease,
                                             const engine::ContainerSpec& spec) {
  auto details = co_await engine::inspect_container(engine_, lease.container);
  if (!details) co_return fail(details.error());
  // What the engine made must be what was asked for, or untrusted code does not enter it.
  auto differences = engine::compare(spec, *details);
  if (differences.empty()) co_return ok;
  co_return fail(ErrorKind::unavailable, "sandbox_not_as_asked",
                 fmt::format("cannot start a sandbox: the engine changed it ({})",
                             text::shortened(engine::describe(differences), 400)),
                 "check the engine's defaults and plugins");
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
                                            text::shortened(text::one_line(cause), 500))}};
}

async::task<void> DockerExecutor::give_up(Lease& lease, ExecutionId id) {
  if (!lease.container.empty()) {
    auto ending = lease.reported ? Ending::by_itself : Ending::killed;
    auto removed = co_await end_and_remove(engine_, lease.container, ending);
    if (!removed && removed.error().kind != ErrorKind::not_found) {
      log::warn("{}; the sweep will try again", removed.error().sentence());
    }
    slots_.give_back(lease.user_id);
  }
  alive_.erase(id);
}

async::task<void> DockerExecutor::maintain() {
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
  int count = 0;
  for (const auto& container : *listed) {
    if (!left_behind(container, now)) continue;
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

bool DockerExecutor::left_behind(const engine::ContainerSummary& container, WallTime now) const {
  bool ours = label(container, labels::owner) == settings_.owner;
  switch (kind_of(container)) {
    case Kind::foreign:
      return false;
    // Filling the volume takes a second, and an engine may still be at it for a server that was
    // killed.
    case Kind::filler:
      return now - container.created > filler_grace && !(ours && init_volume_.filling());
    case Kind::sandbox:
      break;
  }
  if (ours) return !alive_.contains(ExecutionId{label(container, labels::execution)});
  auto deadline = deadline_of(container);
  return deadline && now > *deadline + orphan_grace;
}

}  // namespace gantry::sandbox
