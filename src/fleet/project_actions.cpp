#include "fleet/project_actions.hpp"

#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "fleet/log_batch.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t needs_max = 256;
using Until = Need::Until;
constexpr Milliseconds look_again{500};
constexpr Milliseconds went_on{60'000};
constexpr Milliseconds start_max{60'000};
constexpr Milliseconds stop_margin{30'000};

constexpr std::array<std::string_view, 3> action_words{"start", "stop", "restart"};
constexpr std::array<std::string_view, 3> until_words{"started", "healthy", "completed"};
constexpr std::array<std::string_view, 6> did_words{"started", "stopped", "restarted",
                                                    "nothing", "skipped", "failed"};

bool runs(const std::string& state) {
  return state == "running" || state == "paused" || state == "restarting";
}

/// Nothing for `0001-01-01T00:00:00Z`, which means never.
std::optional<WallTime> time_in(std::string_view text) {
  if (!text.starts_with('2')) return std::nullopt;
  auto time = leading_time(fmt::format("{} ", text));
  if (!time) return std::nullopt;
  return WallTime{std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds{time->first})};
}

/// One change of a project while it goes on.
class Change {
 public:
  Change(Operations& operations, std::shared_ptr<Host> host, Actor actor, std::string project,
         std::vector<MemberService> services, ProjectChange change)
      : operations_{operations},
        host_{std::move(host)},
        actor_{std::move(actor)},
        project_{std::move(project)},
        services_{std::move(services)},
        change_{change} {}

  async::task<void> run() {
    co_await look_at_states();
    auto waves = waves_of(services_);
    bool stops = change_.action != ProjectAction::start;
    if (stops) {
      for (auto wave = waves.rbegin(); wave != waves.rend(); ++wave) co_await stop_wave(*wave);
    }
    if (change_.action == ProjectAction::stop) co_return;
    co_await note_endings();
    for (const auto& wave : waves) co_await start_wave(wave);
  }

  std::vector<MemberResult> results() {
    std::vector<MemberResult> out;
    for (const auto& service : services_) {
      for (const auto& member : service.members) out.push_back(results_.at(member.id));
    }
    return out;
  }

 private:
  /// Whoever was told that a change has ended may ask for the next before the view has heard of it,
  /// and what runs must be stopped. Where the engine does not say, the view is what there is.
  async::task<void> look_at_states() {
    auto listed = co_await async::attempt(
        engine::list_containers(host_->engine(), engine::ListScope::all,
                                {fmt::format("com.docker.compose.project={}", project_)}));
    if (!listed) co_return;
    for (auto& service : services_) {
      for (auto& member : service.members) {
        auto found = std::ranges::find(*listed, member.id, &engine::ContainerSummary::id);
        if (found == listed->end()) continue;
        member.state = found->state;
        member.exit_code = exit_code_in(found->status);
      }
    }
  }

  MemberResult& result_of(const MemberService& service, const Member& member) {
    auto& result = results_[member.id];
    result.service = service.name;
    result.id = member.id;
    result.name = member.name;
    return result;
  }
  static void fail_with(MemberResult& result, Error error) {
    result.did = Did::failed;
    result.error = std::move(error);
  }
  Operation operation(std::string action, const Member& member, Milliseconds deadline) const {
    return {.actor = actor_,
            .host = host_->name(),
            .action = std::move(action),
            .object = member.id,
            .parameters = {{"name", member.name}, {"project", project_}},
            .deadline = deadline};
  }

  async::task<void> stop_wave(std::vector<std::size_t> wave) {
    async::TaskScope scope{co_await boost::asio::this_coro::executor};
    for (auto index : wave) {
      for (auto& member : services_[index].members) {
        scope.spawn("stopping a container of a project", stop(services_[index], member));
      }
    }
    co_await async::finally(scope.join(), scope.close());
  }

  async::task<void> stop(const MemberService& service, Member& member) {
    auto& result = result_of(service, member);
    if (!runs(member.state)) co_return;
    auto stopped = co_await operations_.run(
        operation("container.stop", member, Milliseconds{change_.grace} + stop_margin),
        engine::stop_container(host_->engine(), member.id, change_.grace));
    if (!stopped) co_return fail_with(result, std::move(stopped.error()));
    result.did = Did::stopped;
    member.state = "exited";
  }

  /// Which of those that have ended with 0 are one-shots. What this change stopped is none.
  async::task<void> note_endings() {
    std::map<std::string, Ending> endings;
    bool some_run = false;
    for (const auto& service : services_) {
      for (const auto& member : service.members) {
        bool stopped_now = result_of(service, member).did == Did::stopped;
        some_run = some_run || stopped_now || runs(member.state);
        if (stopped_now || runs(member.state) || !member.exit_code) continue;
        auto ending = co_await look_at_ending(service, member);
        if (ending) endings[member.id] = std::move(*ending);
      }
    }
    for (auto& [id, ending] : endings) {
      if (!some_run) ending.rest_finished_at = last_of_others(endings, id);
      if (is_one_shot(ending)) one_shots_.insert(id);
    }
  }

  static std::optional<WallTime> last_of_others(const std::map<std::string, Ending>& endings,
                                                const std::string& id) {
    WallTime last{};
    for (const auto& [other, ending] : endings) {
      if (other != id && ending.finished_at) last = std::max(last, *ending.finished_at);
    }
    return last;
  }

  async::task<std::optional<Ending>> look_at_ending(const MemberService& service,
                                                    const Member& member) {
    auto details = co_await async::attempt(engine::inspect_container(host_->engine(), member.id));
    if (!details) co_return std::nullopt;
    co_return Ending{.exit_code = member.exit_code,
                     .restart_policy = details->unasked.restart_policy,
                     .awaited = is_awaited(service.name),
                     .finished_at = time_in(details->state.finished_at)};
  }

  bool is_awaited(std::string_view name) const {
    return std::ranges::any_of(services_, [&](const MemberService& service) {
      return std::ranges::any_of(service.needs, [&](const Need& need) {
        return need.service == name && need.until == Until::completed;
      });
    });
  }

  async::task<void> start_wave(std::vector<std::size_t> wave) {
    async::TaskScope scope{co_await boost::asio::this_coro::executor};
    for (auto index : wave) {
      scope.spawn("starting a service of a project", start_service(services_[index]));
    }
    co_await async::finally(scope.join(), scope.close());
  }

  async::task<void> start_service(MemberService& service) {
    std::optional<Error> obstacle;
    for (const auto& need : service.needs) {
      auto met = co_await wait_for(service, need);
      if (met) continue;
      obstacle = std::move(met.error());
      break;
    }
    for (auto& member : service.members) {
      auto& result = result_of(service, member);
      if (result.did == Did::failed) continue;
      if (obstacle && !runs(member.state)) {
        fail_with(result, *obstacle);
      } else {
        co_await start(member, result);
      }
    }
  }

  async::task<void> start(Member& member, MemberResult& result) {
    if (runs(member.state)) co_return;
    bool done = one_shots_.contains(member.id);
    if (done && change_.one_shots == ProjectChange::OneShots::left) {
      result.did = Did::skipped;
      co_return;
    }
    auto started = co_await operations_.run(operation("container.start", member, start_max),
                                            engine::start_container(host_->engine(), member.id));
    if (!started) co_return fail_with(result, std::move(started.error()));
    result.did = result.did == Did::stopped ? Did::restarted : Did::started;
    member.state = "running";
  }

  Error unmet(const MemberService& waiting, std::string_view service, std::string_view why) const {
    return {ErrorKind::conflict, "dependency_failed",
            fmt::format("cannot start service '{}' of '{}' on '{}': service '{}', which it depends "
                        "on, {}",
                        waiting.name, project_, host_->name(), service, why),
            "look at the logs of that service"};
  }

  /// A service that has no containers here is somebody's choice (profiles): nobody waits for it.
  async::task<Result<>> wait_for(const MemberService& waiting, const Need& need) {
    auto found = std::ranges::find(services_, need.service, &MemberService::name);
    if (found == services_.end()) co_return ok;
    for (const auto& member : found->members) {
      auto known = results_.find(member.id);
      if (known != results_.end() && known->second.did == Did::failed) {
        co_return fail(unmet(waiting, need.service, "could not be started"));
      }
      if (need.until == Until::started) continue;
      auto met = co_await async::attempt(async::with_deadline(
          change_.patience, "waiting for a service", wait_for_member(waiting, need, member)));
      if (!met && met.error().kind == ErrorKind::timed_out) {
        co_return fail(unmet(waiting, need.service,
                             fmt::format("has not become {} within {} s",
                                         need.until == Until::healthy ? "healthy" : "complete",
                                         change_.patience.count() / 1000)));
      }
      if (!met) co_return met;
    }
    co_return ok;
  }

  async::task<Result<>> wait_for_member(const MemberService& waiting, const Need& need,
                                        const Member& member) {
    for (;;) {
      auto details = co_await engine::inspect_container(host_->engine(), member.id);
      if (!details) co_return fail(std::move(details.error()));
      const auto& state = details->state;
      bool ended = !state.running && state.status != "created";
      if (need.until == Until::completed && ended) {
        if (state.exit_code == 0) co_return ok;
        auto why = fmt::format("ended with exit code {}", state.exit_code);
        co_return fail(unmet(waiting, need.service, why));
      }
      if (need.until == Until::healthy) {
        // Without a health check there is nothing to wait for.
        if (state.health == "healthy" || (state.running && state.health.empty())) co_return ok;
        if (ended || state.health == "unhealthy") {
          co_return fail(unmet(waiting, need.service, ended ? "has ended" : "is unhealthy"));
        }
      }
      co_await async::pause(look_again);
    }
  }

  Operations& operations_;
  std::shared_ptr<Host> host_;
  Actor actor_;
  std::string project_;
  std::vector<MemberService> services_;
  ProjectChange change_;
  std::map<std::string, MemberResult> results_;
  std::set<std::string> one_shots_;
};

}  // namespace

std::string_view word(ProjectAction action) {
  return action_words[static_cast<std::size_t>(action)];
}
std::string_view word(Did did) { return did_words[static_cast<std::size_t>(did)]; }

std::string_view word(Until until) { return until_words[static_cast<std::size_t>(until)]; }

std::vector<Need> needs_in(std::string_view label) {
  std::vector<Need> out;
  for (auto item : text::split(label, ',')) {
    auto parts = text::split(item, ':');
    auto name = text::trimmed(parts[0]);
    if (name.empty() || out.size() == needs_max) continue;
    Need need{.service = std::string{name}};
    auto said = parts.size() > 1 ? text::trimmed(parts[1]) : std::string_view{};
    if (said == "service_healthy") need.until = Until::healthy;
    if (said == "service_completed_successfully") need.until = Until::completed;
    out.push_back(std::move(need));
  }
  return out;
}

std::vector<MemberService> members_of(const Project& project) {
  std::vector<MemberService> out;
  for (const auto& service : project.services) {
    MemberService members{.name = service.name, .members = {}, .needs = {}, .level = service.level};
    for (const auto* container : service.containers) {
      members.members.push_back({.id = container->id,
                                 .name = container->name,
                                 .state = container->state,
                                 .exit_code = exit_code_in(container->status)});
    }
    if (!service.containers.empty()) {
      auto label = service.containers.front()->labels.find("com.docker.compose.depends_on");
      members.needs = needs_in(label.value_or(""));
    }
    out.push_back(std::move(members));
  }
  return out;
}

std::vector<std::vector<std::size_t>> waves_of(std::span<const MemberService> services) {
  std::vector<std::vector<std::size_t>> waves;
  for (std::size_t i = 0; i < services.size(); ++i) {
    auto level = services[i].level;
    if (waves.size() <= level) waves.resize(level + 1);
    waves[level].push_back(i);
  }
  return waves;
}

bool is_one_shot(const Ending& ending) {
  if (ending.exit_code != 0) return false;
  if (ending.restart_policy == "always" || ending.restart_policy == "unless-stopped") return false;
  if (ending.awaited || !ending.rest_finished_at) return true;
  return ending.finished_at && *ending.rest_finished_at > *ending.finished_at + went_on;
}

async::task<Result<std::vector<MemberResult>>> change_project(Operations& operations,
                                                              std::shared_ptr<Host> host,
                                                              Actor actor, std::string project,
                                                              std::vector<MemberService> services,
                                                              ProjectChange change) {
  auto underway = co_await operations.begin(
      {.actor = actor,
       .host = host->name(),
       .action = fmt::format("project.{}", word(change.action)),
       .object = project,
       .parameters = {{"one_shots", change.one_shots == ProjectChange::OneShots::started}}});
  if (!underway) co_return fail(std::move(underway.error()));
  Change running{operations, host, std::move(actor), project, std::move(services), change};
  co_await running.run();
  auto results = running.results();
  auto failed = std::ranges::count(results, Did::failed, &MemberResult::did);
  json::Object facts{{"containers", results.size()}, {"failed", failed}};
  if (failed == 0) {
    underway->succeeded(facts);
  } else {
    underway->failed({ErrorKind::conflict,
                      "containers_failed",
                      fmt::format("{} of {} containers failed", failed, results.size()),
                      {}},
                     facts);
  }
  co_return results;
}

}  // namespace gantry::fleet
