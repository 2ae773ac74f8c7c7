#include "sandbox/outbound.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "engine/system.hpp"
#include "sandbox/hardening.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

constexpr const char* bridge_name = "gantry-outbound";
constexpr Milliseconds word_max{30'000};
constexpr Seconds proof_age_max{3600};
constexpr Seconds refusal_age_max{60};
constexpr Seconds survey_age_max{300};
// How long a survey or a canary may last before anybody may remove it.
constexpr Seconds task_deadline{300};
constexpr std::size_t words_max = 64U << 10U;
constexpr std::string_view refused_code = "network_not_available";

/// What the bridge is made with and must be like. Without inter-container communication the engine
/// drops what one of its containers sends to another.
const std::map<std::string, std::string>& bridge_options() {
  static const std::map<std::string, std::string> options{
      {"com.docker.network.bridge.enable_icc", "false"},
      {"com.docker.network.bridge.enable_ip_masquerade", "true"}};
  return options;
}

bool is_as_we_make_it(const engine::Network& network) {
  auto has = [&](const auto& option) {
    auto found = network.options.find(option.first);
    return found != network.options.end() && found->second == option.second;
  };
  return network.driver == "bridge" && !network.internal && !network.ipv6 &&
         std::ranges::all_of(bridge_options(), has);
}

bool ends_with_line(std::string_view words, std::string_view line) {
  if (!words.ends_with('\n')) return false;
  words.remove_suffix(1);
  return words.ends_with(line) &&
         (words.size() == line.size() || words[words.size() - line.size() - 1] == '\n');
}

/// What a container of ours says up to its last line. When it ends before: a refusal in its own
/// words where it gave a reason; else (`sandbox_not_ready`) nobody knows whose fault it was.
async::task<std::string> listen(engine::AttachedStream& stream, std::string_view last_line) {
  std::string words;
  while (auto frame = co_await stream.read()) {
    words += frame->bytes;
    if (ends_with_line(words, last_line)) co_return words;
    if (words.size() > words_max) break;
  }
  auto said = text::shortened(text::one_line(words), 300);
  if (said.starts_with("cannot ")) throw Failure{outbound_refusal(said)};
  throw Failure{Error{ErrorKind::unavailable, "sandbox_not_ready",
                      fmt::format("cannot set up the network of a sandbox: a container of ours "
                                  "ended with '{}'",
                                  said),
                      "look at the log of the engine"}};
}

async::task<void> listen_into(std::string& words, engine::AttachedStream& stream,
                              std::string_view last_line) {
  words = co_await listen(stream, last_line);
}

async::task<void> start(engine::Client& engine, const std::string& container) {
  value_or_throw(co_await engine::start_container(engine, container));
}

std::string in_its_network(const Lease& holder) {
  return fmt::format("container:{}", holder.container);
}

}  // namespace

std::string Outbound::World::fingerprint() const {
  std::string engine_began;  // the engine makes its own bridge anew whenever it starts
  for (const auto& network : networks) {
    if (network.name == "bridge") engine_began = network.id;
  }
  return fmt::format("{} {} {} {}", bridge.id, engine_began, fmt::join(host.ipv4, ","),
                     fmt::join(host.ipv6, ","));
}

Outbound::Outbound(async::Executor executor, engine::Client& engine, Removal& removal,
                   InitVolume& init_volume, Settings settings)
    : engine_{engine},
      removal_{removal},
      init_volume_{init_volume},
      settings_{std::move(settings)},
      changed_{executor} {}

Result<> Outbound::remembered(const Policy& policy) const {
  auto found = proofs_.find(policy.runtime);
  if (found == proofs_.end() || !found->second.refusal) return ok;
  if (steady_now() - found->second.at > refusal_age_max) return ok;
  return fail(*found->second.refusal);
}

async::task<Result<>> Outbound::prove(ServedImage image, Policy policy, OnProgress progress) {
  while (proving_) co_await changed_.wait();
  if (auto refused = remembered(policy); !refused) co_return refused;
  proving_ = true;
  auto proven = co_await async::shielded(
      async::attempt(prove_anew(std::move(image), std::move(policy), std::move(progress))));
  proving_ = false;
  changed_.notify();
  co_return proven;
}

/// Looks around, which is cheap, and sends the canary when something is new.
async::task<Result<>> Outbound::prove_anew(ServedImage image, Policy policy, OnProgress progress) {
  auto& proof = proofs_[policy.runtime];
  auto world = co_await async::attempt(look(image));
  if (world) {
    bool holds = !proof.refusal && proof.fingerprint == world->fingerprint() &&
                 steady_now() - proof.at < proof_age_max;
    if (holds) co_return ok;
    progress("proving that programs with network 'outbound' reach nothing but the outside");
  }
  Result<> proven = ok;
  if (world) {
    proven = co_await async::attempt(prove_in(image, policy, *world));
  } else {
    proven = fail(world.error());
  }
  // Only what the bridge and our own containers said is about the network. Whatever else failed,
  // an image or a busy engine, is this attempt's, and nothing for the others.
  if (!proven && proven.error().code != refused_code) co_return fail(proven.error());
  proof = {.fingerprint = world ? world->fingerprint() : "", .at = steady_now(), .refusal = {}};
  if (proven) {
    log::info("network 'outbound' is proven on this engine, runtime '{}'", word(policy.runtime));
    co_return ok;
  }
  proof.refusal = proven.error();
  log::warn("{}", proven.error().sentence());
  co_return fail(proven.error());
}

async::task<Result<>> Outbound::prove_in(ServedImage image, Policy policy, World world) {
  Lease holder;
  Lease canary;
  co_return co_await async::finally(send_canary(holder, canary, image, policy, world),
                                    let_go(canary, holder));
}

async::task<void> Outbound::let_go(Lease& first, Lease& second) {
  for (auto* lease : {&first, &second}) {
    if (!lease->container.empty()) removal_.later(*lease, Ending::killed);
  }
  co_return;
}

async::task<Result<>> Outbound::send_canary(Lease& holder, Lease& canary, ServedImage image,
                                            Policy policy, World world) {
  auto deadline = settings_.clock.now() + task_deadline;
  auto network = co_await hold_in(holder, image, deadline, world);
  if (!network) co_return fail(network.error());
  const auto& outside = settings_.wishes.dns.at(0);
  auto targets = canary_targets(world.host, world.bridge, outside);
  // In everything but its first program it is what a program of a user gets.
  auto spec_of = [&](const Lease& lease) {
    auto spec = hardened_container(policy, image,
                                   {.owner = settings_.owner,
                                    .label = lease.label,
                                    .user_id = lease.user_id,
                                    .init_volume = init_volume_.name(),
                                    .deadline = deadline,
                                    .network = *network});
    spec.entrypoint = std::vector<std::string>{holder_path, "reach", outside};
    spec.entrypoint->insert(spec.entrypoint->end(), targets.begin(), targets.end());
    return spec;
  };
  auto words = co_await hear(
      canary, {.label = "canary-" + random::word(20), .spec_of = spec_of, .last_line = "end"});
  if (!words) co_return fail(words.error());
  co_return judge_canary(targets, *words);
}

async::task<Result<std::string>> Outbound::hold(Lease& holder, ServedImage image,
                                                WallTime deadline) {
  auto world = co_await look(image);
  if (!world) co_return fail(world.error());
  co_return co_await hold_in(holder, image, deadline, *world);
}

async::task<Result<std::string>> Outbound::hold_in(Lease& holder, ServedImage image,
                                                   WallTime deadline, World world) {
  auto spec_of = [&](const Lease& lease) {
    return holder_container(
        image,
        {.owner = settings_.owner,
         .label = lease.label,
         .user_id = lease.user_id,
         .init_volume = init_volume_.name(),
         .deadline = deadline,
         .network = world.bridge.id},
        {.dns = settings_.wishes.dns,
         .blocked = blocked_prefixes(world.host, world.networks, settings_.wishes)});
  };
  auto words = co_await hear(
      holder, {.label = "holder-" + random::word(20), .spec_of = spec_of, .last_line = "ready"});
  if (!words) co_return fail(words.error());
  co_return in_its_network(holder);
}

/// The engine's networks as they are now, and the host's addresses as they were lately.
async::task<Result<Outbound::World>> Outbound::look(ServedImage image) {
  auto volume = co_await init_volume_.ensure(image.id);
  if (!volume) co_return fail(volume.error());
  World world;
  auto networks = co_await engine::list_networks(engine_);
  if (!networks) co_return fail(networks.error());
  world.networks = std::move(*networks);
  auto made = co_await bridge(world.networks);
  if (!made) co_return fail(made.error());
  world.bridge = std::move(*made);
  auto host = co_await host_addresses(image);
  if (!host) co_return fail(host.error());
  world.host = std::move(*host);
  co_return world;
}

/// Ours among the networks of the engine; made when there is none. It stays, as the volume of
/// gantry-init does: other servers of this engine use it, too.
async::task<Result<engine::Network>> Outbound::bridge(std::vector<engine::Network>& networks) {
  auto ours = [](const engine::Network& network) { return network.name == bridge_name; };
  auto found = std::ranges::find_if(networks, ours);
  if (found == networks.end()) {
    auto created = co_await engine::create_network(
        engine_,
        {.name = bridge_name, .options = bridge_options(), .labels = {{labels::kind, "network"}}});
    // Another server of this engine may have been faster.
    if (!created && created.error().kind != ErrorKind::conflict) co_return fail(created.error());
    auto again = co_await engine::list_networks(engine_);
    if (!again) co_return fail(again.error());
    networks = std::move(*again);
    found = std::ranges::find_if(networks, ours);
  }
  if (found == networks.end() || !is_as_we_make_it(*found)) {
    co_return fail(outbound_refusal(fmt::format(
        "the engine's network '{}' is not as Gantry makes it; remove it", bridge_name)));
  }
  co_return *found;
}

async::task<Result<HostAddresses>> Outbound::host_addresses(ServedImage image) {
  while (surveying_) co_await changed_.wait();
  if (host_ && steady_now() - surveyed_at_ < survey_age_max) co_return *host_;
  surveying_ = true;
  Lease lease;
  Lease nobody;
  auto found = co_await async::shielded(
      async::attempt(async::finally(survey(lease, image), let_go(lease, nobody))));
  surveying_ = false;
  if (found) {
    host_ = *found;
    surveyed_at_ = steady_now();
  }
  changed_.notify();
  co_return found;
}

async::task<Result<HostAddresses>> Outbound::survey(Lease& lease, ServedImage image) {
  auto info = co_await engine::info(engine_);
  if (!info) co_return fail(info.error());
  for (const auto& option : info->security_options) {
    // What such an engine calls its host is a namespace inside the real one.
    if (!option.starts_with("name=rootless") && !option.starts_with("name=userns")) continue;
    co_return fail(
        outbound_refusal("the engine runs rootless or remaps users, and so does not "
                         "tell which addresses its host has"));
  }
  auto deadline = settings_.clock.now() + task_deadline;
  auto spec_of = [&](const Lease& given) {
    return survey_container(image, {.owner = settings_.owner,
                                    .label = given.label,
                                    .user_id = given.user_id,
                                    .init_volume = init_volume_.name(),
                                    .deadline = deadline});
  };
  auto words = co_await hear(
      lease, {.label = "survey-" + random::word(20), .spec_of = spec_of, .last_line = "end"});
  if (!words) co_return fail(words.error());
  co_return read_survey(*words);
}

async::task<Result<std::string>> Outbound::hear(Lease& lease, Task task) {
  co_await removal_.room();
  // Shielded: a container whose creation was interrupted would be nobody's.
  auto made = co_await async::shielded(create_leased(engine_, removal_, task.label, task.spec_of));
  if (!made) co_return fail(made.error());
  lease = *made;
  auto sound = co_await verify_as_asked(engine_, lease.container, task.spec_of(lease));
  if (!sound) co_return fail(sound.error());
  auto words = co_await async::attempt(
      async::with_deadline(word_max, "setting up the network of a sandbox",
                           start_and_listen(lease.container, std::string{task.last_line})));
  // The usual cause is a volume that somebody removed: the next one fills it again.
  if (!words) init_volume_.distrust();
  co_return words;
}

async::task<Result<std::string>> Outbound::start_and_listen(std::string container,
                                                            std::string last_line) {
  auto stream = co_await engine::attach_container(engine_, container, engine::Framing::multiplexed);
  if (!stream) co_return fail(stream.error());
  std::string words;
  co_await async::both(listen_into(words, *stream, last_line), start(engine_, container));
  co_return words;
}

}  // namespace gantry::sandbox
