#include "api/containers.hpp"
#include "api/host_access.hpp"
#include "api/hosts_json.hpp"
#include "api/json_text.hpp"
#include "api/live.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

// The containers of the hosts, for live channels: everything once, and then what has changed, host
// by host.
namespace gantry::api {
namespace {

constexpr Milliseconds between_tellings{250};
/// How soon a change of somebody's rights shows.
constexpr Milliseconds look_up{2'000};
/// So many containers go into one message, so that none takes the loop for long.
constexpr std::size_t at_once = 200;

/// What may change of a container while it keeps its id.
std::size_t mark_of(const fleet::Container& container) {
  std::size_t mark = std::hash<std::string>{}(container.name);
  auto mix = [&](std::size_t more) { mark = mark * 1'099'511'628'211U ^ more; };
  mix(std::hash<std::string>{}(container.state));
  mix(std::hash<std::string>{}(container.status));
  mix(static_cast<std::size_t>(container.health));
  mix(std::hash<std::string>{}(container.image));
  for (const auto& port : container.ports) {
    mix(static_cast<std::size_t>(port.container_port) << 16U | port.host_port.value_or(0));
    mix(std::hash<std::string>{}(port.host_ip));
  }
  return mark;
}

/// What the other side knows of one host.
struct Told {
  std::map<std::string, std::size_t> marks;  ///< By the container's id.
  std::string standing;                      ///< State, error and the like, as text.
  /// Which host and which version of its view that was: a changed host is another Host.
  std::weak_ptr<fleet::Host> host;
  std::vector<std::string> groups;  ///< By which rights may go.
  std::uint64_t version = 0;
  bool begun = false;

  bool is_all_of(const std::shared_ptr<fleet::Host>& now) const {
    return begun && host.lock() == now && version == now->link().version() &&
           groups == now->config().groups;
  }
};

json::Object standing_json(const fleet::Host& host, const access::Rights& rights) {
  const auto& view = host.view();
  json::Object standing{{"host", host.name()},
                        {"state", word(view.state)},
                        {"stale", view.stale},
                        {"as_of", time_or_null(view.as_of)}};
  if (auto error = host_error(host, rights)) standing["error"] = error_json(*error);
  return standing;
}

/// The parts of it that are worth a message: `as_of` alone is not.
std::string standing_text(const fleet::Host& host, const access::Rights& rights) {
  auto standing = standing_json(host, rights);
  if (!host.view().stale) standing.erase("as_of");
  return json_text(standing);
}

class Containers {
 public:
  Containers(Call& call, const LiveWish& wish, LiveOutbox& out)
      : call_{call}, wish_{wish}, out_{out} {}

  async::task<void> run() {
    auto& fleet = call_.services.fleet;
    for (;;) {
      auto version = fleet.version();
      co_await tell_all();
      co_await async::pause(between_tellings);
      // Rights can change without any host doing so.
      if (fleet.version() == version) co_await async::race(fleet.changed(), async::pause(look_up));
    }
  }

 private:
  bool wanted(const fleet::Host& host, const access::Rights& rights) const {
    if (wish_.kind == LiveWish::Kind::host && host.name() != wish_.host) return false;
    return rights.sees_host(host.name(), host.config().groups);
  }

  async::task<void> tell_all() {
    auto rights = call_.rights();
    // Who has other rights now is told everything anew.
    if (rights_ && *rights_ != rights) {
      for (auto& [name, told] : told_) told = {};
    }
    rights_ = rights;
    std::set<std::string> there;
    for (const auto& host : call_.services.fleet.hosts()) {
      if (!wanted(*host, rights)) continue;
      there.insert(host->name());
      co_await tell_host(host, rights);
    }
    co_await tell_gone(there);
  }

  async::task<void> tell_gone(const std::set<std::string>& there) {
    std::vector<std::string> gone;
    for (const auto& [name, told] : told_) {
      if (!there.contains(name)) gone.push_back(name);
    }
    for (const auto& name : gone) {
      told_.erase(name);
      co_await out_.tell(wish_.topic, "host_gone", {{"host", name}});
    }
    if (!there.empty() || wish_.kind != LiveWish::Kind::host) co_return;
    throw Failure{{ErrorKind::not_found, "no_such_host",
                   fmt::format("cannot find host '{}'", wish_.host),
                   "list the hosts you may see with 'gantry hosts'"}};
  }

  async::task<void> tell_host(std::shared_ptr<fleet::Host> host, access::Rights rights) {
    for (;;) {
      auto& told = told_[host->name()];
      if (told.is_all_of(host)) co_return;
      auto standing = standing_text(*host, rights);
      auto message = news_of(*host, rights, told);
      bool more = message["items"].as_array().size() == at_once;
      bool empty = message["items"].as_array().empty() && message["removed"].as_array().empty();
      bool silent = told.begun && empty && told.standing == standing;
      message["full"] = !told.begun;
      told.begun = true;
      told.standing = std::move(standing);
      // Not all of it while there is more, so that the next round looks again.
      told.host = more ? nullptr : host;
      told.version = host->link().version();
      told.groups = host->config().groups;
      if (!silent) co_await out_.tell(wish_.topic, "containers", std::move(message));
      if (!more) co_return;
    }
  }

  /// Notes as told what it answers.
  static json::Object news_of(const fleet::Host& host, const access::Rights& rights, Told& told) {
    json::Array items;
    std::set<std::string_view> there;
    const auto& groups = host.config().groups;
    for (const auto& container : host.view().containers) {
      if (!rights.role_on(host.name(), groups, container.project.value_or(""))) continue;
      there.insert(container.id);
      auto mark = mark_of(container);
      auto known = told.marks.find(container.id);
      bool news = known == told.marks.end() || known->second != mark;
      if (!news || items.size() == at_once) continue;
      told.marks[container.id] = mark;
      items.push_back(container_json(host.name(), container));
    }
    json::Array removed;
    std::erase_if(told.marks, [&](const auto& known) {
      if (there.contains(known.first)) return false;
      removed.emplace_back(known.first);
      return true;
    });
    auto message = standing_json(host, rights);
    message["items"] = std::move(items);
    message["removed"] = std::move(removed);
    return message;
  }

  Call& call_;
  const LiveWish& wish_;
  LiveOutbox& out_;
  std::optional<access::Rights> rights_;
  std::map<std::string, Told> told_;  ///< By the host's name.
};

}  // namespace

async::task<void> tell_containers(Call& call, const LiveWish& wish, LiveOutbox& out) {
  Containers containers{call, wish, out};
  co_await containers.run();
}

}  // namespace gantry::api
