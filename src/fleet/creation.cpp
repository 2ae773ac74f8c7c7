#include "fleet/creation.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/image_reference.hpp"
#include "engine/networks.hpp"
#include "engine/volumes.hpp"
#include "fleet/volume_source.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr int removals_max = 3;
constexpr Milliseconds removal_max{10'000};
constexpr Milliseconds between_removals{500};

constexpr std::string_view our_labels = "io.gantry.";
/// By its value one is found of which the engine has not told the id.
constexpr std::string_view mark_label = "io.gantry.creation";
/// What our sandboxes live by: a program that could write there could write into all of them.
constexpr std::array<std::string_view, 3> our_names{"gantry-init-", "gantry-outbound",
                                                    "gantry-sandbox-"};

constexpr std::array dangers{
    DangerTraits{Danger::privileged, "privileged", "it is root on the host"},
    DangerTraits{Danger::host_network, "host_network",
                 "it listens and connects as the host, its loopback included"},
    DangerTraits{Danger::host_pid, "host_pid", "it sees and can end all processes of the host"},
    DangerTraits{Danger::host_ipc, "host_ipc", "it shares memory with processes of the host"},
    DangerTraits{Danger::bind, "bind", "it reads and may write files of the host"},
    DangerTraits{Danger::host_system, "host_system",
                 "it has files that the host itself lives by: that is root on the host"},
    DangerTraits{Danger::docker_socket, "docker_socket",
                 "it can command the host's engine: that is root on the host"},
    DangerTraits{Danger::capabilities, "capabilities",
                 "it has rights in the kernel that containers do not have"},
    DangerTraits{Danger::devices, "devices", "it has devices of the host"},
    DangerTraits{Danger::unconfined, "unconfined", "the kernel's calls are not filtered for it"},
};
static_assert(dangers.size() == static_cast<std::size_t>(Danger::unconfined) + 1);

/// The host lives by these and all below them.
constexpr std::array<std::string_view, 18> system_folders{
    "/bin",  "/boot", "/dev",  "/etc",  "/lib", "/lib32", "/lib64",   "/libx32",  "/proc",
    "/root", "/run",  "/sbin", "/snap", "/sys", "/usr",   "/var/lib", "/var/run", "/var/spool"};
/// Engines listen here, or below.
constexpr std::array<std::string_view, 7> socket_places{
    "/run/docker.sock", "/var/run/docker.sock", "/run/containerd", "/var/run/containerd",
    "/run/podman",      "/var/run/podman",      "/run/user"};

/// What every container has: asking for it adds nothing.
constexpr std::array<std::string_view, 14> usual_capabilities{
    "AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",    "FSETID",
    "KILL",        "MKNOD",  "NET_RAW",          "SETFCAP",   "SETGID",
    "SETPCAP",     "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT"};

/// Whether `path` is `folder`, or lies below it.
bool within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// Whether what is bound holds any of these places, or is in one.
template <class Places>
bool touches(std::string_view path, const Places& places) {
  return std::ranges::any_of(
      places, [&](std::string_view place) { return within(path, place) || within(place, path); });
}

bool is_socket(std::string_view path) {
  return path.ends_with(".sock") || touches(path, socket_places);
}

std::string bare_capability(std::string_view name) {
  auto low = text::lowered(name);
  if (low.starts_with("cap_")) low.erase(0, 4);
  std::ranges::transform(low, low.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return low;
}

bool is_unusual(const std::string& capability) {
  return std::ranges::find(usual_capabilities, bare_capability(capability)) ==
         usual_capabilities.end();
}

std::unexpected<Error> refuse(std::string_view what, std::string_view why) {
  return fail(ErrorKind::invalid, "invalid_container",
              fmt::format("cannot create container: {} {}", what, why));
}

/// Absolute, without detours, so that what is judged is what is meant.
bool plain_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > 4096 || path.contains('\0')) return false;
  if (path == "/") return true;
  for (auto part : text::split(path.substr(1), '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

bool is_ours(std::string_view name) {
  return std::ranges::any_of(our_names, [&](auto begin) { return name.starts_with(begin); });
}

Result<> check_mounts(const engine::NewContainer& wanted) {
  std::set<std::string_view> targets;
  auto target = [&](const std::string& path) {
    return plain_path(path) && path != "/" && targets.insert(path).second;
  };
  for (const auto& mount : wanted.volumes) {
    if (!engine::valid_volume_name(mount.volume)) return refuse("a mount", "must name a volume");
    if (is_ours(mount.volume)) return refuse("a mount", "names a volume of the sandboxes");
    if (!target(mount.target)) return refuse("a mount's target", "must be a path of its own");
  }
  for (const auto& bind : wanted.binds) {
    if (!plain_path(bind.source)) {
      return refuse("a bind's source", "must be an absolute path without '..' or '//'");
    }
    if (!target(bind.target)) return refuse("a mount's target", "must be a path of its own");
  }
  for (const auto& [path, options] : wanted.tmpfs) {
    if (!target(path)) return refuse("a mount's target", "must be a path of its own");
  }
  return ok;
}

Result<> check_network(const engine::NewContainer& wanted) {
  if (!wanted.network) {
    if (wanted.network_aliases.empty()) return ok;
    return refuse("network_aliases", "need a network");
  }
  // `container:…` among others is no name: nobody joins another container's namespace.
  if (!engine::valid_volume_name(*wanted.network)) {
    return refuse("network", "must be 'none', 'bridge', 'host' or a network's name");
  }
  if (is_ours(*wanted.network)) return refuse("network", "is one of the sandboxes");
  bool own = *wanted.network != "none" && *wanted.network != "host" && *wanted.network != "bridge";
  if (!own && !wanted.network_aliases.empty()) {
    return refuse("network_aliases", "need a network of one's own");
  }
  bool published = !wanted.ports.empty() && (wanted.network == "none" || wanted.network == "host");
  if (published) return refuse("ports", "can not be published from this network");
  return ok;
}

Result<> check_texts(const engine::NewContainer& wanted) {
  bool is_id = engine::valid_image_id(wanted.image);
  if (auto image = engine::ImageReference::parse(wanted.image); !is_id && !image) {
    return fail(std::move(image.error()));
  }
  for (const auto& [name, value] : wanted.labels) {
    if (name.empty() || name.contains('\0')) return refuse("a label", "must have a name");
    if (text::lowered(name).starts_with(our_labels)) {
      return refuse("labels", "that begin with 'io.gantry.' are Gantry's own");
    }
  }
  for (const auto& variable : wanted.env) {
    if (variable.starts_with('=') || !variable.contains('=')) {
      return refuse("env", "must have a name");
    }
  }
  if (wanted.working_dir && !plain_path(*wanted.working_dir)) {
    return refuse("working_dir", "must be an absolute path without '..'");
  }
  for (const auto& device : wanted.devices) {
    if (!plain_path(device.host_path) || !plain_path(device.container_path)) {
      return refuse("a device", "must be an absolute path");
    }
  }
  return ok;
}

/// What nobody can have.
Result<> check(const engine::NewContainer& wanted) {
  for (auto part : {&check_texts, &check_mounts, &check_network}) {
    if (auto fine = part(wanted); !fine) return fine;
  }
  return ok;
}

std::string words_of(const std::vector<Danger>& found) {
  std::vector<std::string_view> words;
  for (auto danger : found) words.push_back(word(danger));
  return fmt::format("{}", fmt::join(words, ", "));
}

/// Those of the first that are not in the second.
std::vector<Danger> missing(const std::vector<Danger>& from, const std::vector<Danger>& in) {
  std::vector<Danger> out;
  for (auto danger : from) {
    if (std::ranges::find(in, danger) == in.end()) out.push_back(danger);
  }
  return out;
}

/// What of it the audit log keeps: names, not values.
json::Object told(const Creation& creation, const Sources& volumes) {
  const auto& wanted = creation.wanted;
  json::Object out{{"image", wanted.image}};
  json::Array named;
  for (auto danger : creation.named) named.emplace_back(word(danger));
  if (!named.empty()) out["dangers"] = std::move(named);
  json::Array binds;
  for (const auto& bind : wanted.binds) binds.emplace_back(bind.source);
  for (const auto& source : volumes) binds.emplace_back(source);
  if (!binds.empty()) out["binds"] = std::move(binds);
  json::Array env;
  for (const auto& variable : wanted.env) env.emplace_back(variable.substr(0, variable.find('=')));
  if (!env.empty()) out["env"] = std::move(env);
  if (wanted.network) out["network"] = *wanted.network;
  return out;
}

/// An engine takes ids, and their beginnings, for names too: of the host's network, for one.
async::task<Result<>> check_named_network(engine::Client& client,
                                          std::optional<std::string> network) {
  constexpr std::array<std::string_view, 3> everywhere{"none", "bridge", "host"};
  if (!network || std::ranges::find(everywhere, *network) != everywhere.end()) co_return ok;
  auto found = co_await engine::inspect_network(client, *network);
  if (!found) co_return fail(std::move(found.error()));
  if (found->name != *network) co_return refuse("network", "must be a network's name, not its id");
  for (const auto& [name, value] : found->labels) {
    if (name.starts_with(our_labels)) co_return refuse("network", "is one of the sandboxes");
  }
  co_return ok;
}

/// A container on its way. Nobody may start it before it was compared.
struct Making {
  engine::Client& client;
  engine::NewContainer wanted;
  std::string mark = random::word(20);
  std::optional<engine::CreatedContainer> created = {};
  bool may_be_there = false;  ///< The engine has not said whether it has made it.
  bool is_as_wanted = false;
  bool stays = false;  ///< It could not be taken away again.
};

/// After which an engine may have made it, or makes it yet.
bool leaves_open(const Error& error) {
  constexpr std::array<std::string_view, 4> codes{"engine_timed_out", "engine_unreachable",
                                                  "engine_answer_too_large",
                                                  "engine_answer_malformed"};
  return std::ranges::find(codes, error.code) != codes.end();
}

async::task<Result<>> ask_for_it(Making& making, std::string name) {
  auto created = co_await async::attempt(
      engine::create_container(making.client, std::move(name), making.wanted));
  if (!created) {
    making.may_be_there = leaves_open(created.error());
    co_return fail(std::move(created.error()));
  }
  making.created = std::move(*created);
  co_return ok;
}

async::task<Result<>> look_for_it(Making& making) {
  engine::LabelFilters labels{fmt::format("{}={}", mark_label, making.mark)};
  auto listed =
      co_await engine::list_containers(making.client, engine::ListScope::all, std::move(labels));
  if (!listed) co_return fail(std::move(listed.error()));
  // Others that an engine may tell besides stay as they are.
  for (const auto& container : *listed) {
    auto mark = container.labels.find(std::string{mark_label});
    if (mark == container.labels.end() || mark->second != making.mark) continue;
    making.created = engine::CreatedContainer{.id = container.id, .warnings = {}};
    making.may_be_there = false;
  }
  co_return ok;
}

async::task<Result<>> make_and_compare(Making& making, std::string name) {
  // Whoever leaves meanwhile would leave one behind of which nobody knows.
  auto asked = co_await async::shielded(ask_for_it(making, std::move(name)));
  if (!asked) co_return asked;
  auto details = co_await engine::inspect_container(making.client, making.created->id);
  if (!details) co_return fail(std::move(details.error()));
  auto wider = engine::wider_than_wanted(making.wanted, *details);
  making.is_as_wanted = wider.empty();
  if (making.is_as_wanted) co_return ok;
  co_return fail(ErrorKind::unavailable, "engine_widened",
                 fmt::format("cannot create container: the engine has made another one than was "
                             "asked for: {}",
                             fmt::join(wider, ", ")),
                 "look at the engine's defaults and plugins");
}

async::task<Result<>> remove_made(engine::Client& client, std::string id) {
  auto removed =
      co_await engine::remove_container(client, std::move(id), {.force = true, .volumes = true});
  if (!removed && removed.error().kind == ErrorKind::not_found) co_return ok;
  co_return removed;
}

async::task<void> remove_unless_as_wanted(Making& making) {
  if (making.may_be_there) {
    auto looked = co_await async::attempt(
        async::with_deadline(removal_max, "looking for it", look_for_it(making)));
    if (!looked) log::warn("{}", looked.error().sentence());
  }
  if (!making.created || making.is_as_wanted) co_return;
  for (int i = 0; i < removals_max; ++i) {
    if (i > 0) co_await async::pause(between_removals);
    auto removed = co_await async::attempt(async::with_deadline(
        removal_max, "removing it", remove_made(making.client, making.created->id)));
    making.stays = !removed;
    if (removed) co_return;
    log::error("{}", removed.error().sentence());
  }
}

/// Makes it, and takes it away again unless the engine has made just that.
async::task<Result<engine::CreatedContainer>> make(engine::Client& client, std::string name,
                                                   engine::NewContainer wanted) {
  auto network = co_await check_named_network(client, wanted.network);
  if (!network) co_return fail(std::move(network.error()));
  Making making{.client = client, .wanted = std::move(wanted)};
  making.wanted.labels.emplace(mark_label, making.mark);
  auto made = co_await async::attempt(
      async::finally(make_and_compare(making, std::move(name)), remove_unless_as_wanted(making)));
  if (made) co_return std::move(*making.created);
  if (making.stays) {
    made.error().remedy = fmt::format(
        "remove container '{}' by hand: it is not known to be what "
        "was asked for",
        making.created->id.substr(0, 12));
  }
  if (making.may_be_there) {
    made.error().remedy = fmt::format(
        "remove the container with the label '{}={}' by hand, if the engine has made it after all",
        mark_label, making.mark);
  }
  co_return fail(std::move(made.error()));
}

}  // namespace

std::span<const DangerTraits> all_dangers() { return dangers; }

std::string_view word(Danger danger) { return dangers[static_cast<std::size_t>(danger)].word; }

std::optional<Danger> parse_danger(std::string_view word) {
  const auto* found = std::ranges::find(dangers, word, &DangerTraits::word);
  if (found == dangers.end()) return std::nullopt;
  return found->danger;
}

std::vector<Danger> dangers_of(const engine::NewContainer& wanted, const Sources& volumes) {
  std::vector<Danger> found;
  auto note = [&](Danger danger, bool there) {
    if (there) found.push_back(danger);
  };
  auto bound = [&](auto is) {
    return std::ranges::any_of(wanted.binds, [&](const auto& bind) { return is(bind.source); }) ||
           std::ranges::any_of(volumes, is);
  };
  note(Danger::privileged, wanted.privileged);
  note(Danger::host_network, wanted.network == "host");
  note(Danger::host_pid, wanted.host_pid);
  note(Danger::host_ipc, wanted.host_ipc);
  note(Danger::bind, !wanted.binds.empty() || !volumes.empty());
  note(Danger::host_system, bound([](const auto& path) { return touches(path, system_folders); }));
  note(Danger::docker_socket, bound([](const auto& path) { return is_socket(path); }));
  note(Danger::capabilities, std::ranges::any_of(wanted.cap_add, is_unusual));
  note(Danger::devices, !wanted.devices.empty());
  note(Danger::unconfined, wanted.seccomp_unconfined || wanted.apparmor_unconfined);
  return found;
}

Result<> judge(const engine::NewContainer& wanted, access::Role role,
               const std::vector<Danger>& named, const Sources& volumes) {
  if (auto fine = check(wanted); !fine) return fine;
  auto found = dangers_of(wanted, volumes);
  if (!found.empty() && role < access::Role::admin) {
    return fail(ErrorKind::denied, "danger_needs_admin",
                fmt::format("cannot create container: what it asks for reaches out of it ({}), "
                            "which takes an admin",
                            words_of(found)),
                "leave that out, or ask an admin");
  }
  if (auto unnamed = missing(found, named); !unnamed.empty()) {
    const auto& first = dangers[static_cast<std::size_t>(unnamed.front())];
    return fail(ErrorKind::invalid, "danger_not_named",
                fmt::format("cannot create container: {} is not named among its dangers: {}",
                            first.word, first.explanation),
                fmt::format("leave that out, or name in 'dangers': {}", words_of(unnamed)));
  }
  if (auto absent = missing(named, found); !absent.empty()) {
    return fail(ErrorKind::invalid, "danger_absent",
                fmt::format("cannot create container: it has not all dangers that are named: {}",
                            words_of(absent)),
                "name only those that it has");
  }
  return ok;
}

async::task<Result<Created>> create(Operations& operations, Actor actor, access::Role role,
                                    Creation creation) {
  if (auto fine = check(creation.wanted); !fine) co_return fail(std::move(fine.error()));
  auto host = creation.host;
  auto sources = co_await sources_on_host(host->engine(), creation.wanted);
  if (!sources) co_return fail(std::move(sources.error()));
  if (auto fine = judge(creation.wanted, role, creation.named, *sources); !fine) {
    co_return fail(std::move(fine.error()));
  }
  auto object = creation.name.empty() ? std::string{"(unnamed)"} : creation.name;
  Operation operation{.actor = actor,
                      .host = host->name(),
                      .action = "container.create",
                      .object = object,
                      .parameters = told(creation, *sources),
                      .deadline = Seconds{120}};
  auto made = co_await operations.run(
      std::move(operation), make(host->engine(), creation.name, std::move(creation.wanted)));
  if (!made) co_return fail(std::move(made.error()));
  Created created{.id = made->id, .warnings = std::move(made->warnings)};
  if (creation.start == Creation::Start::no) co_return created;
  auto started = co_await operations.run({.actor = std::move(actor),
                                          .host = host->name(),
                                          .action = "container.start",
                                          .object = std::move(object),
                                          .parameters = {{"id", made->id}},
                                          .deadline = Seconds{120}},
                                         engine::start_container(host->engine(), made->id));
  if (!started) created.not_started = std::move(started.error());
  co_return created;
}

}  // namespace gantry::fleet
