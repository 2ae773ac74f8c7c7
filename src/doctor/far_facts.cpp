#include "doctor/far_facts.hpp"

#include "base/text.hpp"
#include "doctor/access_facts.hpp"
#include "doctor/container.hpp"
#include "doctor/far_script.hpp"
#include "doctor/machine.hpp"
#include "doctor/services.hpp"
#include "doctor/socket_file.hpp"
#include "doctor/tools.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

namespace gantry::doctor {
namespace {

using Kind = SocketFile::Kind;

constexpr std::size_t said_max = 64U << 10U;
constexpr std::size_t line_max = 16U << 10U;
constexpr std::size_t name_max = 256;
constexpr std::size_t version_max = 64;
constexpr std::size_t groups_max = 1'024;
constexpr std::uint64_t room_max = 1ULL << 50U;
constexpr std::string_view yes = "yes";
constexpr std::string_view hangs = "hangs";

/// How often each fact may be told.
struct Name {
  std::string_view text;
  std::size_t most = 1;
};
constexpr std::size_t many = 48;
constexpr std::array names{
    Name{"machine"},
    Name{"uid"},
    Name{"user"},
    Name{"process_groups"},
    Name{"account_groups"},
    Name{"docker_group"},
    Name{"docker_primary", many},
    Name{"runtime_folder"},
    Name{"rootless"},
    Name{"engine"},
    Name{"systemd"},
    Name{"script"},
    Name{"snap"},
    Name{"marked"},
    Name{"selinux"},
    Name{"apparmor"},
    Name{"network"},
    Name{"apparmor_in_kernel"},
    Name{"clock"},
    Name{"settings"},
    Name{"disk"},
    Name{"inodes"},
    Name{"docker_host"},
    Name{"docker_context"},
    Name{"docker"},
    Name{"docker_version"},
    Name{"compose_v1"},
    Name{"compose_v1_version"},
    Name{"buildx_version"},
    Name{"compose_v2_version"},
    Name{"slow"},
    Name{"mount", many},
    Name{"tcp", many},
    Name{"tcp6", many},
};
/// Of each of these places the script tells the same.
constexpr std::array<std::string_view, 3> places{"socket", "usual", "own"};
constexpr std::array place_names{
    Name{""},        Name{"_path"},  Name{"_hidden"},   Name{"_real"},      Name{"_owner"},
    Name{"_behind"}, Name{"_group"}, Name{"_writable"}, Name{"_acl", many}, Name{"_primary", many}};

template <class... Parts>
Failure unreadable(fmt::format_string<Parts...> why, Parts&&... parts) {
  return Failure{{ErrorKind::unavailable, "far_facts_unreadable",
                  fmt::format("cannot read what the far machine tells of itself: {}",
                              fmt::format(why, std::forward<Parts>(parts)...)),
                  "see whether 'id', 'ls' and 'getent' are the usual programs there"}};
}

std::size_t most_of(std::string_view name) {
  auto found = std::ranges::find(names, name, &Name::text);
  if (found != names.end()) return found->most;
  for (auto place : places) {
    if (!name.starts_with(place)) continue;
    auto of_place = std::ranges::find(place_names, name.substr(place.size()), &Name::text);
    if (of_place != place_names.end()) return of_place->most;
  }
  return 0;
}

/// The lines by their names.
class Told {
 public:
  explicit Told(std::string_view said) {
    if (said.size() > said_max) throw unreadable("it is longer than {} bytes", said_max);
    auto lines = text::split(said, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    for (auto line : lines) add(line);
  }
  /// Empty: it was not told.
  std::string_view one(const std::string& name) const {
    auto found = facts_.find(name);
    return found == facts_.end() ? std::string_view{} : found->second.front();
  }
  std::vector<std::string_view> all(const std::string& name) const {
    auto found = facts_.find(name);
    return found == facts_.end() ? std::vector<std::string_view>{} : found->second;
  }
  std::string joined(const std::string& name) const {
    return fmt::format("{}\n", fmt::join(all(name), "\n"));
  }
  bool says(const std::string& name) const { return one(name) == yes; }

 private:
  void add(std::string_view line) {
    constexpr std::string_view separator = ": ";
    auto at = line.find(separator);
    if (line.size() > line_max || at == line.npos) throw unreadable("a line of it is no fact");
    auto name = line.substr(0, at);
    auto value = line.substr(at + separator.size());
    auto most = most_of(name);
    if (most == 0) throw unreadable("there is no such fact as one of its lines has");
    if (text::one_line(value) != value) throw unreadable("'{}' holds a control character", name);
    auto& values = facts_[std::string{name}];
    if (values.size() == most) throw unreadable("it tells '{}' more than once", name);
    values.push_back(value);
  }

  std::map<std::string, std::vector<std::string_view>> facts_;
};

std::vector<std::string_view> words_of(std::string_view text) {
  auto words = text::split(text, ' ');
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  return words;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  auto [end, failed] = std::from_chars(text.begin(), text.end(), number);
  if (failed != std::errc{} || end != text.end()) return std::nullopt;
  return number;
}

Id id_in(std::string_view text) {
  auto id = number_in<Id>(text);
  if (!id) throw unreadable("one of its ids is no id");
  return *id;
}

std::vector<Id> ids_in(std::string_view text) {
  auto words = words_of(text);
  if (words.size() > groups_max) throw unreadable("a user is in more than {} groups", groups_max);
  std::vector<Id> ids;
  for (auto word : words) ids.push_back(id_in(word));
  return ids;
}

/// Directories have names such as `CORP\ann` and `domain users`; commands quote them. One that
/// would be taken for an option has no account.
std::string name_in(std::string_view text) {
  bool fits = !text.empty() && text.size() <= name_max && !text.starts_with('-');
  if (!fits) throw unreadable("the name of an account or a group is none");
  return std::string{text};
}

std::string path_in(std::string_view text) {
  if (!is_plain_path(text)) throw unreadable("a path is more than a path");
  return std::string{text};
}

/// A line of group(5).
std::optional<Group> group_in(std::string_view line) {
  if (line.empty()) return std::nullopt;
  auto fields = text::split(line, ':');
  if (fields.size() != 4) throw unreadable("a group is no line of group(5)");
  Group group{.name = name_in(fields[0]), .gid = id_in(fields[2])};
  for (auto member : text::split(fields[3], ',')) {
    if (member.size() > name_max) throw unreadable("the name of a group's member is too long");
    if (!member.empty()) group.members.emplace_back(member);
  }
  return group;
}

std::vector<std::string> names_in(const std::vector<std::string_view>& lines) {
  std::vector<std::string> out;
  for (auto line : lines) out.push_back(name_in(line));
  return out;
}

/// `srw-rw----`, as ls(1) shows it.
unsigned mode_in(std::string_view text) {
  constexpr std::array<unsigned, 3> special{S_ISUID, S_ISGID, S_ISVTX};
  unsigned mode = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    auto c = text[i + 1];
    unsigned bit = static_cast<unsigned>(S_IRUSR) >> i;
    bool last = i % 3 == 2;
    if (last && std::string_view{"sStT"}.contains(c)) mode |= special[i / 3];
    if (c != '-' && c != 'S' && c != 'T') mode |= bit;
  }
  return mode;
}

Kind kind_in(char letter) {
  switch (letter) {
    case 's':
      return Kind::socket;
    case 'd':
      return Kind::folder;
    case '-':
      return Kind::file;
    case 'l':  // It leads nowhere.
      return Kind::missing;
    default:
      return Kind::other;
  }
}

struct AclName {
  std::string_view text;
  AclEntry::Who all;
  AclEntry::Who one;
};
constexpr std::array acl_names{
    AclName{"user", AclEntry::Who::owner, AclEntry::Who::user},
    AclName{"group", AclEntry::Who::owning_group, AclEntry::Who::group},
    AclName{"mask", AclEntry::Who::mask, AclEntry::Who::mask},
    AclName{"other", AclEntry::Who::others, AclEntry::Who::others},
};

/// What `getfacl --numeric` prints: `user:1000:rw-  #effective:r--`.
std::vector<AclEntry> acl_in(const std::vector<std::string_view>& lines) {
  std::vector<AclEntry> acl;
  for (auto line : lines) {
    auto fields = text::split(text::trimmed(line.substr(0, line.find('#'))), ':');
    auto name = std::ranges::find(acl_names, fields.front(), &AclName::text);
    if (fields.size() != 3 || name == acl_names.end()) throw unreadable("an access list is none");
    bool all = fields[1].empty();
    acl.push_back({.who = all ? name->all : name->one,
                   .id = all ? 0 : id_in(fields[1]),
                   .write = fields[2].contains('w'),
                   .enter = fields[2].contains('x')});
  }
  // Without a mask these are the permission bits once more.
  bool extended = std::ranges::find(acl, AclEntry::Who::mask, &AclEntry::who) != acl.end();
  return extended ? acl : std::vector<AclEntry>{};
}

void read_status(const Told& told, const std::string& place, SocketFile& socket) {
  constexpr std::size_t mode_length = 10;
  auto words = words_of(told.one(place));
  if (words.size() < 4 || words[0].size() < mode_length) throw unreadable("a file has no status");
  socket.kind = kind_in(words[0].front());
  socket.mode = mode_in(words[0]);
  socket.uid = id_in(words[2]);
  socket.gid = id_in(words[3]);
}

std::optional<SocketFile> socket_in(const Told& told, const std::string& place) {
  auto path = told.one(place + "_path");
  if (path.empty()) return std::nullopt;
  SocketFile socket{.path = path_in(path)};
  if (told.one(place).empty()) {
    auto hidden = told.one(place + "_hidden");
    socket.kind = hidden.empty() ? Kind::missing : Kind::hidden;
    if (!hidden.empty()) socket.shut_by = path_in(hidden);
    return socket;
  }
  read_status(told, place, socket);
  auto real = told.one(place + "_real");
  if (!real.empty()) socket.leads_to = path_in(real);
  auto behind = told.one(place + "_behind");
  if (!behind.empty()) socket.behind = path_in(behind);
  auto owner = told.one(place + "_owner");
  if (!owner.empty()) socket.owner = name_in(owner);
  if (auto group = group_in(told.one(place + "_group"))) socket.group = group->name;
  socket.acl = acl_in(told.all(place + "_acl"));
  auto mount =
      mount_of(told.joined("mount"), socket.leads_to.empty() ? socket.path : socket.leads_to);
  socket.mounted = mount.own;
  socket.read_only_mount = mount.read_only;
  return socket;
}

Subject subject_in(const Told& told) {
  Subject subject{.what = "the login by SSH",
                  .user = name_in(told.one("user")),
                  .uid = id_in(told.one("uid")),
                  .account_groups = ids_in(told.one("account_groups")),
                  .process_groups = ids_in(told.one("process_groups")),
                  .kind = Subject::Kind::other};
  if (subject.process_groups->empty()) throw unreadable("a process has no group");
  // Without an account it has what it was given.
  if (subject.account_groups.empty()) subject.account_groups = *subject.process_groups;
  return subject;
}

/// Whoever asks there knows best: of folders on the way and lists that nobody can read, too.
void take_own_word(const Told& told, const std::string& place, const Subject& who,
                   SocketFile& socket) {
  auto word = told.one(place + "_writable");
  bool writable = word == yes;
  if (!word.empty() && writable != may_connect(socket, who.uid, who.groups()))
    socket.tried = writable;
}

void read_sockets(const Told& told, Facts& facts) {
  facts.socket = socket_in(told, "socket");
  if (!facts.socket) throw unreadable("it does not tell of the socket");
  auto& socket = *facts.socket;
  if (socket.kind == Kind::socket) {
    facts.socket_group = group_in(told.one("socket_group"));
    if (facts.socket_group) facts.socket_group->primary = names_in(told.all("socket_primary"));
    take_own_word(told, "socket", facts.subject, socket);
  }
  for (const auto* place : {"usual", "own"}) {
    auto other = socket_in(told, place);
    if (!other || other->kind != Kind::socket) continue;
    take_own_word(told, place, facts.subject, *other);
    if (!same_place(socket, *other)) facts.other_sockets.push_back(std::move(*other));
  }
  find_rootless(facts);
}

ToolFacts tool_in(std::string_view path, std::string_view version) {
  ToolFacts tool;
  if (path.starts_with('/')) tool.path = path;
  tool.version = text::shortened(version_in(version), version_max);
  tool.silent = version == hangs;
  return tool;
}

void read_tools(const Told& told, Facts& facts) {
  auto docker = told.one("docker");
  facts.docker = tool_in(docker, told.one("docker_version"));
  facts.compose_v1 = tool_in(told.one("compose_v1"), told.one("compose_v1_version"));
  auto plugin = [&](std::string_view version) {
    return version.empty() ? ToolFacts{} : tool_in(docker, version);
  };
  facts.compose_v2 = plugin(told.one("compose_v2_version"));
  facts.buildx = plugin(told.one("buildx_version"));
}

void read_machine(const Told& told, Facts& facts) {
  facts.machine = told.one("machine").substr(0, name_max);
  facts.in_container =
      is_container({.mountinfo = told.joined("mount"), .marked = !told.one("marked").empty()});
  bool package = !told.one("engine").empty();
  facts.engine_installed = package || told.says("snap");
  facts.starter = starter_by({.snap = told.says("snap"),
                              .package = package,
                              .systemd = told.says("systemd"),
                              .script = told.says("script")});
  facts.rootless.installed = !told.one("rootless").empty();
  facts.rootless.runtime_folder = told.says("runtime_folder");
  auto selinux = told.one("selinux");
  if (!selinux.empty()) facts.selinux = read_selinux_mode(selinux);
  facts.apparmor = text::shortened(read_apparmor_profile(told.one("apparmor")), name_max);
  facts.apparmor_in_kernel = told.one("apparmor_in_kernel") == "Y";
  facts.exposed = listening_at(told.joined("tcp"), told.joined("tcp6"), {2375, 2376});
  auto clock = told.one("clock");
  if (clock == yes || clock == "no") facts.clock_synchronised = clock == yes;
  if (!told.says("network")) facts.late.push_back(Part::machine);
  if (!told.one("slow").empty()) facts.late.push_back(Part::account);
}

/// Total and free, from a line of `df -P`: device, total, used, free, share, place. The first and
/// the last may hold blanks.
struct Room {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};
std::optional<Room> room_in(std::string_view line) {
  auto words = words_of(line);
  for (std::size_t i = 4; i < words.size(); ++i) {
    bool share = words[i].ends_with('%') || words[i] == "-";
    if (!share) continue;
    auto total = number_in<std::uint64_t>(words[i - 3]);
    auto free = number_in<std::uint64_t>(words[i - 1]);
    if (total && free && *free <= *total && *total <= room_max) return Room{*total, *free};
  }
  return std::nullopt;
}

void read_data(const Told& told, Facts& facts) {
  auto settings = told.one("settings");
  if (!settings.empty()) facts.logs_bounded = logs_are_bounded(settings);
  auto bytes = room_in(told.one("disk"));
  auto inodes = room_in(told.one("inodes"));
  if (!bytes) return;
  constexpr std::uint64_t block = 1'024;
  facts.disk = DiskFacts{.bytes = bytes->total * block, .bytes_free = bytes->free * block};
  if (inodes) facts.disk->inodes = inodes->total;
  if (inodes) facts.disk->inodes_free = inodes->free;
}

void read_endpoint(const Told& told, Facts& facts) {
  auto host = told.one("docker_host");
  auto context = told.one("docker_context");
  if (!host.empty()) {
    facts.endpoint.there = fmt::format("DOCKER_HOST ({})", host.substr(0, name_max));
  } else if (!context.empty() && context != "default") {
    facts.endpoint.there = fmt::format("DOCKER_CONTEXT ({})", context.substr(0, name_max));
  }
}

Facts facts_in(const Told& told) {
  Facts facts;
  facts.sight = Sight::far;
  facts.subject = subject_in(told);
  facts.docker_group = group_in(told.one("docker_group"));
  if (facts.docker_group) facts.docker_group->primary = names_in(told.all("docker_primary"));
  read_sockets(told, facts);
  read_machine(told, facts);
  read_tools(told, facts);
  read_data(told, facts);
  read_endpoint(told, facts);
  return facts;
}

}  // namespace

Result<Facts> read_far_facts(std::string_view said) {
  try {
    return facts_in(Told{said});
  } catch (const Failure& failure) {
    return fail(failure.error());
  }
}

}  // namespace gantry::doctor
