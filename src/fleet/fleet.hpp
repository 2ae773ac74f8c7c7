#pragma once

#include "access/audit_store.hpp"
#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/sealer.hpp"
#include "fleet/events.hpp"
#include "fleet/host.hpp"
#include "fleet/hosts.hpp"
#include "fleet/hosts_store.hpp"
#include "fleet/link.hpp"
#include "fleet/operations.hpp"
#include "fleet/probe.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_settings.hpp"
#include "net/ssh_tunnel.hpp"
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
/// What makes the errors of diallers of one way tell more; `tunnel` is that of ssh, which outlives
/// the result. What it has found out once it may tell for all of them.
using Tailor = std::function<Dress(const net::Endpoint& endpoint, net::SshTunnel* tunnel)>;

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
    Sealer sealer;
    Clock clock = {};
    /// Where OpenSSH finds what it needs.
    net::SshPlaces ssh = {};
    Hidden hidden = {};
    LinkPace pace = {};
    /// Instead of the transports that endpoints name.
    Dial dial = {};
    /// Every dialler wears what it makes; nothing: none does.
    Tailor tailor = {};
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

  // Changes; `by` is in the audit log, in the transaction of the change.

  /// Refused: `invalid_field`, `already_exists` (conflict), `too_many_hosts` (exhausted).
  async::task<Result<std::shared_ptr<Host>>> add(Actor by, HostWish wish);
  /// A host that is from then on reached in another way is another Host; the old one has ended.
  /// Refused as `add`, and `no_such_host`.
  async::task<Result<std::shared_ptr<Host>>> change(Actor by, std::string name, HostWish wish);
  /// Refused: `no_such_host`.
  async::task<Result<>> remove(Actor by, std::string name);
  /// Trusts the key with this fingerprint (`SHA256:…`), which the first machine on the way must
  /// offer, and tries to connect at once. Refused: `no_such_host`, `no_host_key` (conflict) where
  /// there is no SSH, and as net::SshTunnel::trust.
  async::task<Result<net::SshHostKey>> trust(Actor by, std::string name, std::string fingerprint);
  /// Tries the whole way to a host anew, beside what is in use, and tells each step. Takes a
  /// minute at most. Refused: `no_such_host`, `too_many_tests` (exhausted).
  async::task<Result<Probe>> probe(std::string name);

  /// The host of that name now, or nothing.
  std::shared_ptr<Host> find(std::string_view name) const;
  std::shared_ptr<Host> find(const HostId& id) const;
  std::vector<std::shared_ptr<Host>> hosts() const;  ///< By name.
  /// The default host: the one that is marked so, else the only one, else nothing.
  std::shared_ptr<Host> usual() const;
  /// The engine that `--engine` names; nothing when it has been removed from the fleet.
  std::shared_ptr<Host> local() const;
  /// What is known of that engine; nothing but its endpoint when it has been removed.
  const HostView& local_view() const;

  /// What has happened on the hosts lately.
  EventLog& events() { return events_; }
  const EventLog& events() const { return events_; }

  /// Grows with every change of any host or its view.
  std::uint64_t version() const { return version_; }
  /// Returns at the next change; compare `version` first, so that none is missed.
  async::task<void> changed() { return changed_.wait(); }

 private:
  /// One change at a time: each is made of what the one before has left.
  class Turn;
  async::task<void> take_turn();

  async::task<void> load();
  HostRecord local_record() const;
  std::shared_ptr<Host> make(HostRecord record);
  HostWay way(const HostConfig& config, const HostReach& reach) const;
  HostWay dressed(HostWay way, const net::Endpoint& endpoint) const;
  enum class RowIs { fresh, known };
  async::task<Result<>> write(hosts_store::Row row, access::AuditEntry entry, RowIs row_is);
  void put(std::shared_ptr<Host> host);
  std::shared_ptr<Host> apply(std::shared_ptr<Host> host, HostRecord record);
  void apply_usual(const Host& host);
  async::task<void> follow(std::shared_ptr<Host> host);
  async::task<void> run_until_ended(std::shared_ptr<Host> host);
  async::task<void> supervise_when_told(std::shared_ptr<Host> host);
  void note_change();
  LinkSettings link_settings(const HostConfig& config);

  async::Executor executor_;
  storage::Database& database_;
  Settings settings_;
  HostView nothing_known_;
  EventLog events_;
  std::map<std::string, std::shared_ptr<Host>, std::less<>> hosts_;
  bool supervising_ = false;
  bool changing_ = false;
  std::size_t probes_ = 0;
  async::Event turn_over_;
  async::Event begun_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::TaskScope links_;
};

}  // namespace gantry::fleet
