#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/deep_facts.hpp"
#include "doctor/rights.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Why Docker's socket says no. What there is to know is gathered first (gather.hpp) and judged
/// afterwards by a table of pure functions (checks.hpp).
namespace gantry::doctor {

/// A group and who is listed in it (group(5)).
struct Group {
  std::string name;
  Id gid = 0;
  std::vector<std::string> members;
  /// Whose own group it is (passwd(5)), as far as this machine's own accounts go.
  std::vector<std::string> primary = {};
};

/// Whose access is in question: this process, another one, a service's, or an account's.
struct Subject {
  /// For whom the remedies are.
  enum class Kind : std::uint8_t {
    self,    ///< This process, by who started it and reads.
    server,  ///< This process, but it is a server: who reads is somewhere else.
    other,   ///< Another process, a service, an account.
  };

  std::string what;  ///< `this process`, `the server`, `process 812`, `service 'ci'`, `user 'ann'`
  std::string user;  ///< The account's name; the number where it has none.
  Id uid = 0;        ///< `no_id`: it has none before its service starts.
  /// What the account is in by now, its own group included.
  std::vector<Id> account_groups;
  /// What the process has: groups are given when a session or service starts, and do not change
  /// afterwards. Nothing where no process is looked at.
  std::optional<std::vector<Id>> process_groups;
  std::optional<int> pid;
  std::string service;  ///< The unit's name, where one was named.
  /// Its process is in a container of its own, where accounts are others than here.
  bool elsewhere = false;
  /// systemd makes its account when its service starts, and takes it away at the end
  /// (DynamicUser=): nobody can put it into a group.
  bool dynamic = false;
  Kind kind = Kind::self;

  /// The groups that count: those of the process, or what its account would start with.
  const std::vector<Id>& groups() const {
    return process_groups ? *process_groups : account_groups;
  }
  /// Whether there is an account that could be put into a group: in containers there often is none.
  bool has_account() const { return !dynamic && user != std::to_string(uid); }
};

struct SocketFile {
  /// `hidden`: a folder on the way may not be entered.
  enum class Kind : std::uint8_t { missing, hidden, socket, file, folder, other };
  /// What of a folder shuts the subject out.
  enum class Bar : std::uint8_t {
    unknown,
    mode,
    list,   ///< Its access control list, or the mask of it.
    owner,  ///< It is the subject's own, and closed to its owner.
  };

  std::string path;
  std::string leads_to;  ///< Where symbolic links lead; empty: it is none.
  Kind kind = Kind::missing;
  Id uid = 0;
  Id gid = 0;
  unsigned mode = 0;  ///< Permission bits.
  std::string owner;  ///< Empty: no such account.
  std::string group;  ///< Empty: no such group, the id dangles.
  std::vector<AclEntry> acl;
  /// Whether the subject may write to it, by its own word: where that is not what owner, list and
  /// mode let expect (a list that can not be read).
  std::optional<bool> tried;
  /// The first folder on the way that the subject may not enter (`hidden`: nor whoever looks);
  /// empty: none.
  std::string shut_by;
  Bar bar = Bar::unknown;
  /// The first one that is not open to everybody; empty: none.
  std::string behind;
  bool read_only_mount = false;
  bool mounted = false;  ///< A mount of its own: in containers, the host's socket.

  Rights rights() const { return {.uid = uid, .gid = gid, .mode = mode, .acl = acl}; }
};

/// With what Docker's client speaks TLS to an endpoint.
struct TlsFacts {
  struct Certificate {
    std::string file;             ///< `ca.pem`
    std::optional<WallTime> end;  ///< Of the first that ends in it.
  };
  std::string from;      ///< Their folder, or `context 'nas'`; empty: none were named.
  bool verified = true;  ///< It checks who answers.
  std::vector<Certificate> certificates;
  std::optional<Error> wrong;  ///< Why they can not be used.
};

/// By what an endpoint was chosen, in the order in which `docker` looks.
struct EndpointFacts {
  std::string source;    ///< `DOCKER_HOST`, `context 'nas'`, `the default`, `--engine`
  std::string text;      ///< `unix:///var/run/docker.sock`
  std::string variable;  ///< Of the environment, that chose it: `DOCKER_HOST`, `DOCKER_CONTEXT`.
  std::string context;   ///< The context in use; `default` is none.
  std::vector<std::string> contexts;
  std::optional<TlsFacts> tls;  ///< Where it speaks TLS.
  /// What another choice `docker` is told on a far machine: `DOCKER_HOST (tcp://nas:2375)`.
  std::string there;
  /// Something is wrong with the choice itself: it is no endpoint, or there is no such context.
  std::optional<Error> wrong;
};

/// What the engine said, or why it did not.
struct EngineFacts {
  std::optional<Error> error;
  std::string name;  ///< Of its machine.
  std::string version;
  std::string api_version;
  std::string oldest_api_version;
  std::string os;
  std::string storage_driver;
  std::string cgroup_version;
  std::string cgroup_driver;
  std::string data_root;
  std::string log_driver;
  bool live_restore = false;
  std::vector<std::string> security_options;
  std::vector<std::string> warnings;
  std::string proxy;                             ///< By which it reaches registries.
  std::vector<std::string> registry_mirrors;     ///< `https://mirror.example/`
  std::vector<std::string> insecure_registries;  ///< `registry.lan:5000`
  /// Of containerd, runc and so on, as /version names them.
  struct Component {
    std::string name;
    std::string version;
  };
  std::vector<Component> components;
  bool has_security(std::string_view wanted) const;
};

/// One command-line tool: what it said to `version`.
struct ToolFacts {
  std::string path;  ///< Empty: not there.
  std::string version;
  bool silent = false;  ///< It did not answer in time.
};

struct DiskFacts {
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_free = 0;
  std::uint64_t inodes = 0;
  std::uint64_t inodes_free = 0;
  bool read_only = false;
};

/// The files that driver json-file writes (`containers/*/*-json.log`).
struct LogFacts {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::string largest;  ///< Its path.
  std::uint64_t largest_bytes = 0;
  bool whole = true;  ///< All were seen in time.
};

/// The engine that an account may run without being root.
struct RootlessFacts {
  bool installed = false;       ///< There is a `dockerd-rootless.sh`.
  bool runtime_folder = false;  ///< XDG_RUNTIME_DIR is set.
  bool in_force = false;        ///< The endpoint is the subject's own.
  std::string socket;           ///< Where one of the subject's listens beside it; empty: nowhere.
};

/// What is looked at in one go, within its own time. What did not answer in that time leaves its
/// facts as they were born, and the checks that need them are skipped.
enum class Part : std::uint8_t {
  none,
  config,   ///< Docker's own files in the home folder.
  account,  ///< Accounts and groups, also from directories on the network.
  access,   ///< The socket, and what bears on who may use it.
  machine,  ///< The kernel's files.
  data,     ///< The engine's files.
};
/// For people: `the accounts of this machine`.
std::string_view words(Part part);

/// What of a machine was in sight when its facts were gathered.
enum class Sight : std::uint8_t {
  here,    ///< This machine: all of it.
  far,     ///< Another one, by programs that ran there.
  engine,  ///< What its engine says of it, and nothing else.
};
/// `here`, `far`, `engine`.
std::string_view word(Sight sight);

/// What starts and stops an engine of the machine's.
enum class Starter : std::uint8_t {
  systemd,
  scripts,  ///< `service`, as System V, OpenRC and others have it.
  snap,
  nobody,  ///< The engine is a process like another.
};

struct Facts {
  WallTime at{};
  Sight sight = Sight::here;
  std::string machine;
  /// What people here call a machine that is not this one: `edge-3`; empty: it is this one.
  std::string place;
  /// Sight::engine: why nothing else is seen.
  std::string unseen;
  Subject subject;
  EndpointFacts endpoint;
  /// Of a `unix://` endpoint.
  std::optional<SocketFile> socket;
  /// The group `docker`, and the one that the socket belongs to.
  std::optional<Group> docker_group;
  std::optional<Group> socket_group;
  /// Sockets where an engine may listen as well: the rootless one, another daemon's.
  std::vector<SocketFile> other_sockets;
  /// Whether this is inside a container.
  bool in_container = false;
  EngineFacts engine;
  bool engine_installed = false;       ///< There is a `dockerd` or a package's unit.
  Starter starter = Starter::systemd;  ///< As far as files tell: see starter_of.
  ToolFacts docker;
  ToolFacts compose_v1;
  ToolFacts compose_v2;
  ToolFacts buildx;
  std::string selinux;   ///< `enforcing`, `permissive`; empty: none.
  std::string apparmor;  ///< The profile of the subject's process; empty: none.
  std::optional<DiskFacts> disk;
  std::optional<LogFacts> container_logs;
  RootlessFacts rootless;
  bool apparmor_in_kernel = false;
  /// Addresses on which something listens at ports 2375 and 2376, loopback left out: `[::]:2375`.
  std::vector<std::string> exposed;
  std::optional<bool> clock_synchronised;  ///< Nothing: not known.
  /// Whether the logs of containers are bounded by the daemon's settings; nothing: not known.
  std::optional<bool> logs_bounded;
  std::vector<Part> late;         ///< What did not answer in time.
  std::optional<DeepFacts> deep;  ///< Only where it was asked for.

  bool is_late(Part part) const;
  /// What is at the endpoint's path, if it is a socket.
  const SocketFile* usable_socket() const;
  /// Whether the engine is that of the machine around this container, or would be: it, its socket
  /// and its groups are changed out there.
  bool engine_is_outside() const;
  /// Whether the engine that answered is this machine's: a socket may also lead into a virtual
  /// machine, or be passed on from elsewhere.
  bool engine_is_here() const;
};

/// Whether it is of an engine that the subject runs without being root.
bool is_own_engine(const SocketFile& socket, const Subject& who);
/// Whether the socket's group is one that somebody may be put into, and opens it.
bool opens_by_group(const SocketFile& socket);
/// Whether somebody with `uid` and `groups` may connect: that takes write permission on the socket,
/// and the right to enter each folder on the way.
bool may_connect(const SocketFile& socket, Id uid, const std::vector<Id>& groups);

}  // namespace gantry::doctor
