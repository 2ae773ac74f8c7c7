#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/container_spec.hpp"
#include "engine/streams.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::engine {

/// Whether `text` can be a container's id (12 to 64 lower-case hexadecimal digits) or name. What
/// is neither is refused before a byte is sent.
bool valid_container_reference(std::string_view text);

struct Port {
  std::uint16_t container_port = 0;
  std::optional<std::uint16_t> host_port;
  std::string host_ip;
  std::string protocol;  ///< `tcp`, `udp`, `sctp`
  auto operator<=>(const Port&) const = default;
};

struct ContainerSummary {
  std::string id;
  std::vector<std::string> names;  ///< Without the leading slash.
  std::string image;
  std::string image_id;
  std::string state;   ///< created, running, paused, restarting, removing, exited, dead
  std::string status;  ///< `Up 2 hours (healthy)`
  WallTime created;
  std::vector<Port> ports;
  std::map<std::string, std::string> labels;
  bool operator==(const ContainerSummary&) const = default;
};

/// One run of a container's health check.
struct Probe {
  std::string started_at;   ///< RFC 3339 as the engine wrote it.
  std::string finished_at;  ///< As `started_at`.
  std::int64_t exit_code = 0;
  std::string output;  ///< At most 4 KiB: the engine keeps no more.
};

struct ContainerState {
  std::string status;
  bool running = false;
  bool paused = false;
  bool oom_killed = false;
  std::int64_t pid = 0;
  std::int64_t exit_code = 0;
  std::string error;
  std::string started_at;   ///< RFC 3339 as the engine wrote it; `0001-01-01T00:00:00Z`: never.
  std::string finished_at;  ///< As `started_at`.
  std::string health;       ///< `healthy`, `unhealthy`, `starting`, or empty.
  std::int64_t failing_streak = 0;
  std::vector<Probe> probes;  ///< The last ones, oldest first.
};

/// When the engine starts a container again by itself.
struct RestartPolicy {
  std::string name;              ///< `no`, `always`, `unless-stopped`, `on-failure`
  std::int64_t retries_max = 0;  ///< Of `on-failure`; 0: any number.
  bool operator==(const RestartPolicy&) const = default;
};

/// How the engine finds out whether a container is well.
struct HealthcheckSettings {
  std::vector<std::string> test;  ///< `CMD` or `CMD-SHELL` and what is run; `NONE`; empty: none.
  Milliseconds interval{0};       ///< 0 of these: the engine's default.
  Milliseconds timeout{0};
  Milliseconds start_period{0};
  std::int64_t retries = 0;
  bool operator==(const HealthcheckSettings&) const = default;
};

/// A network a container is in.
struct NetworkAttachment {
  std::string name;
  std::string id;
  std::string ip_address;
  std::string ipv6_address;
  std::string gateway;
  std::string mac_address;
  std::vector<std::string> aliases;
};

/// A mount that the container really has.
struct MountPoint {
  std::string type;  ///< `volume`, `bind`, `tmpfs`
  std::string name;
  std::string source;
  std::string target;
  bool writable = false;
};

/// Settings no ContainerSpec can ask for, as the engine has them; all empty in an honest answer.
struct UnaskedSettings {
  bool privileged = false;
  bool publish_all_ports = false;
  std::vector<std::string> binds;
  std::vector<std::string> volumes_from;
  std::vector<std::string> group_add;
  std::vector<std::string> links;
  std::size_t devices = 0;
  std::size_t device_requests = 0;
  std::size_t device_cgroup_rules = 0;
  std::size_t port_bindings = 0;
  std::string pid_mode;
  std::string uts_mode;
  std::string userns_mode;
  std::string restart_policy;  ///< `no` or empty when honest.
  /// Absent when the engine does not tell; present and empty means the paths were unmasked.
  std::optional<std::vector<std::string>> masked_paths;
  std::optional<std::vector<std::string>> readonly_paths;
};

/// GET /containers/{id}/json, as far as it is used.
struct ContainerDetails {
  std::string id;
  std::string name;
  std::string created;
  std::string image_id;
  ContainerState state;
  /// What the engine has made of the request, in the request's words.
  ContainerSpec settings;
  /// Mount points the image declares (VOLUME) or the request added.
  std::vector<std::string> volumes;
  std::vector<std::string> healthcheck_test;
  UnaskedSettings unasked;
  std::vector<MountPoint> mounts;

  // What people look at.
  std::vector<std::string> command;  ///< What runs: entrypoint and command together.
  HealthcheckSettings healthcheck;
  RestartPolicy restart;
  std::int64_t restart_count = 0;
  std::vector<Port> ports;
  std::vector<NetworkAttachment> networks;
  std::string platform;        ///< `linux`
  std::string storage_driver;  ///< `overlay2`
};

struct CreatedContainer {
  std::string id;
  std::vector<std::string> warnings;
};

/// One thing in which a container is not what was asked for.
struct Difference {
  std::string field;  ///< In the words of ContainerSpec: `memory_bytes`.
  std::string wanted;
  std::string got;
};

/// What differs between the request and the container made of it, apart from what an engine may
/// change (the table stands in container_compare.cpp). Empty: start it. One sentence per
/// difference is in `describe`.
std::vector<Difference> compare(const ContainerSpec& spec, const ContainerDetails& details);
std::string describe(const std::vector<Difference>& differences);

enum class ListScope { running, all };
/// `io.gantry.owner` or `io.gantry.owner=x`; several must all hold.
using LabelFilters = std::vector<std::string>;

async::task<Result<std::vector<ContainerSummary>>> list_containers(Client& client, ListScope scope,
                                                                   LabelFilters labels = {});
/// The list's entry for one container, whatever its state; not_found when there is none.
async::task<Result<ContainerSummary>> list_container(Client& client, std::string id);
async::task<Result<ContainerDetails>> inspect_container(Client& client, std::string container);
/// `name` may be empty: the engine makes one up.
async::task<Result<CreatedContainer>> create_container(Client& client, std::string name,
                                                       const ContainerSpec& spec);
/// Starting what runs and stopping what does not run are no errors.
async::task<Result<>> start_container(Client& client, std::string container);
async::task<Result<>> stop_container(Client& client, std::string container, Seconds grace);
async::task<Result<>> restart_container(Client& client, std::string container, Seconds grace);
/// `signal`: `SIGKILL`, `TERM`, `9`.
async::task<Result<>> kill_container(Client& client, std::string container, std::string signal);
async::task<Result<>> pause_container(Client& client, std::string container);
async::task<Result<>> unpause_container(Client& client, std::string container);
async::task<Result<>> rename_container(Client& client, std::string container, std::string name);

/// What `remove` may take with it.
struct RemoveOptions {
  bool force = false;    ///< Kill it first when it runs.
  bool volumes = false;  ///< Its anonymous volumes too.
};
async::task<Result<>> remove_container(Client& client, std::string container,
                                       RemoveOptions options);

/// What can be changed while a container lives (POST /containers/{id}/update).
struct ResourceUpdate {
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> memory_swap_bytes;
  std::optional<std::int64_t> nano_cpus;
  std::optional<std::int64_t> pids_limit;
  std::optional<std::int64_t> cpu_shares;
  std::optional<RestartPolicy> restart;
};
/// Answers the engine's warnings.
async::task<Result<std::vector<std::string>>> update_container(Client& client,
                                                               std::string container,
                                                               ResourceUpdate update);

/// The processes inside, as the host's `ps` tells them.
struct ProcessTable {
  std::vector<std::string> titles;  ///< `UID`, `PID`, … `CMD`
  std::vector<std::vector<std::string>> rows;
};
/// Refused (conflict) when it does not run.
async::task<Result<ProcessTable>> container_top(Client& client, std::string container);

/// A path that differs from the image's.
struct PathChange {
  enum class Kind { modified, added, removed } kind = Kind::modified;
  std::string path;
};
async::task<Result<std::vector<PathChange>>> container_changes(Client& client,
                                                               std::string container);

/// When a wait ends.
enum class WaitCondition { not_running, next_exit, removed };
struct ExitStatus {
  std::int64_t code = 0;
  std::string error;  ///< The engine's words when the wait itself went wrong.
};
/// A wait the engine has accepted: begun before `start`, it can miss nothing.
class Wait {
 public:
  Wait(net::http::StreamedResponse response, std::string container);
  /// Returns when the container has come to the condition; without a limit of its own.
  async::task<Result<ExitStatus>> finished();

 private:
  net::http::StreamedResponse response_;
  std::string container_;
};
async::task<Result<Wait>> begin_wait(Client& client, std::string container,
                                     WaitCondition condition);
async::task<Result<ExitStatus>> wait_container(Client& client, std::string container,
                                               WaitCondition condition);

/// Attaches to stdin, stdout and stderr; before `start`, nothing of the output is missed.
async::task<Result<AttachedStream>> attach_container(Client& client, std::string container,
                                                     Framing framing);

enum class Follow { no, yes };
struct LogOptions {
  Follow follow = Follow::no;
  /// Absent: everything there is.
  std::optional<std::uint32_t> tail_lines;
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  bool timestamps = false;
  bool out = true;
  bool err = true;
};
async::task<Result<OutputStream>> container_logs(Client& client, std::string container,
                                                 Framing framing, LogOptions options);

/// One reading of a container's use; counters grow since its start.
struct Stats {
  std::string read_at;  ///< RFC 3339 as the engine wrote it.
  std::uint64_t cpu_total_ns = 0;
  std::uint64_t system_cpu_ns = 0;
  /// The same a second before; 0: unknown, as in the first reading of a stream.
  std::uint64_t previous_cpu_total_ns = 0;
  std::uint64_t previous_system_cpu_ns = 0;
  std::uint64_t online_cpus = 0;
  /// Without the page cache that can be dropped (inactive file pages).
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t pids = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t disk_read_bytes = 0;
  std::uint64_t disk_written_bytes = 0;

  /// Whether the container ran when this was read.
  bool running() const { return memory_limit_bytes != 0 || pids != 0; }
  /// Of one CPU, as `docker stats` tells it: 250 is two and a half; nothing without a reading of
  /// before. https://github.com/docker/cli/blob/v20.10.24/cli/command/container/stats_helpers.go
  std::optional<double> cpu_percent() const;
};
/// About one reading per second; keep one per container that is watched, since a single reading
/// takes the engine a second too.
class StatsStream {
 public:
  explicit StatsStream(net::http::StreamedResponse response) : lines_{std::move(response)} {}
  /// The next reading; nothing when the container has gone. Throws Failure when broken.
  async::task<std::optional<Stats>> next();

 private:
  JsonLines lines_;
};
async::task<Result<StatsStream>> container_stats(Client& client, std::string container);

/// Unpacks an uncompressed tar below `path`. Compressed archives are refused before anything is
/// sent: an engine would run the container's own decompressor as root (CVE-2026-41567). Never use
/// it on containers that run untrusted code.
async::task<Result<>> put_archive(Client& client, std::string container, std::string path,
                                  Source tar);
/// `path` as an uncompressed tar of at most `max` bytes.
async::task<Result<std::string>> get_archive(Client& client, std::string container,
                                             std::string path, Bytes max);

}  // namespace gantry::engine
