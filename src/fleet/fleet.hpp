#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "fleet/host.hpp"
#include "fleet/link.hpp"
#include "net/endpoint.hpp"
#include "net/tls.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// How an engine is dialled: the door through which tests bring engines of their own.
using Dial = std::function<net::Connect(const HostReach& reach)>;

/// All hosts, by name. Belongs to the event loop.
class Fleet {
 public:
  /// The engine that `--engine` names: at the first start it becomes the host `local`.
  struct LocalEngine {
    net::Endpoint endpoint;
    std::optional<net::TlsClient> tls;
  };
  struct Settings {
    LocalEngine local;
    Clock clock = {};
    Hidden hidden = {};
    LinkPace pace = {};
    /// Instead of the transports that endpoints name.
    Dial dial = {};
  };

  Fleet(async::Executor executor, storage::Database& database, Settings settings);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// Brings the tables up to date and reads them; afterwards hosts are found.
  async::task<void> start();
  /// From now on every enabled host is followed, those that are added later too.
  void supervise();
  /// Ends every host. Call before the destructor.
  async::task<void> close();

  /// The host of that name now, or nothing.
  std::shared_ptr<Host> find(std::string_view name) const;
  std::vector<std::shared_ptr<Host>> hosts() const;  ///< By name.
  /// The engine that `--engine` names; nothing when it has been removed from the fleet.
  std::shared_ptr<Host> local() const;
  /// What is known of that engine; nothing but its endpoint when it has been removed.
  const HostView& local_view() const;

  /// Grows with every change of any host or its view.
  std::uint64_t version() const { return version_; }
  /// Returns at the next change; compare `version` first, so that none is missed.
  async::task<void> changed() { return changed_.wait(); }

 private:
  std::shared_ptr<Host> make(HostConfig config, HostReach reach);
  net::Connect dial(const HostConfig& config, const HostReach& reach) const;
  void follow(const std::shared_ptr<Host>& host);
  void note_change();

  async::Executor executor_;
  storage::Database& database_;
  Settings settings_;
  HostView nothing_known_;
  std::map<std::string, std::shared_ptr<Host>, std::less<>> hosts_;
  bool supervising_ = false;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::TaskScope links_;
};

}  // namespace gantry::fleet
