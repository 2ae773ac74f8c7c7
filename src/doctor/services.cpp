#include "doctor/services.hpp"

#include "doctor/usual.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

/// In the order of Starter.
constexpr std::array machine_engines{
    EngineCommands{.start = "sudo systemctl start docker",
                   .stop = "sudo systemctl stop docker.socket docker",
                   .restart = "sudo systemctl restart docker.socket docker",
                   .log = "sudo journalctl -u docker -n 50",
                   .at_boot = "sudo systemctl enable docker"},
    EngineCommands{.start = "sudo service docker start",
                   .stop = "sudo service docker stop",
                   .restart = "sudo service docker restart",
                   .log = "sudo tail -n 50 /var/log/docker.log",
                   .at_boot = {}},
    EngineCommands{.start = "sudo snap start docker",
                   .stop = "sudo snap stop docker",
                   .restart = "sudo snap restart docker",
                   .log = "sudo snap logs -n 50 docker",
                   .at_boot = {}},
    // tidy: shell because people are shown it, and nothing runs it
    EngineCommands{.start = "sudo sh -c 'dockerd >>/var/log/docker.log 2>&1 &'",
                   .stop = "sudo pkill -x dockerd",
                   // tidy: shell because people are shown it, and nothing runs it
                   .restart = "sudo sh -c 'pkill -x dockerd; sleep 5; dockerd "
                              ">>/var/log/docker.log 2>&1 &'",
                   .log = "sudo tail -n 50 /var/log/docker.log",
                   .at_boot = {}}};
/// Rootless Docker has a service of its user's.
constexpr EngineCommands user_engine{.start = "systemctl --user start docker",
                                     .stop = "systemctl --user stop docker",
                                     .restart = "systemctl --user restart docker",
                                     .log = "journalctl --user -u docker -n 50",
                                     .at_boot = "systemctl --user enable docker"};
constexpr std::string_view users_sockets = "/run/user/";
constexpr std::string_view snap_data = "/var/snap/docker/";
constexpr const char* snap_settings = "/var/snap/docker/current/config/daemon.json";

}  // namespace

Starter starter_by(const StarterSigns& signs) {
  if (signs.snap && !signs.package) return Starter::snap;
  if (signs.systemd) return Starter::systemd;
  return signs.script ? Starter::scripts : Starter::nobody;
}

Starter starter_of(const Facts& facts) {
  return facts.engine.data_root.starts_with(snap_data) ? Starter::snap : facts.starter;
}

std::optional<Id> whose_engine(const Facts& facts) {
  // A machine with snaps has systemd, too.
  bool systemd = facts.starter == Starter::systemd || facts.starter == Starter::snap;
  if (!systemd || !facts.socket) return std::nullopt;
  std::string_view path = facts.socket->path;
  if (!path.starts_with(users_sockets)) return std::nullopt;
  path.remove_prefix(users_sockets.size());
  Id uid = no_id;
  auto [end, failed] = std::from_chars(path.begin(), path.end(), uid);
  bool number = failed == std::errc{} && end != path.end() && *end == '/';
  return number ? std::optional{uid} : std::nullopt;
}

std::string engine_command(const Facts& facts, std::string_view EngineCommands::* which) {
  auto whose = whose_engine(facts);
  if (!whose) return std::string{machine_engines[std::to_underlying(starter_of(facts))].*which};
  const auto& who = facts.subject;
  // Whoever reads is the subject, or logs in as it.
  bool reader = who.kind == Subject::Kind::self || facts.sight == Sight::far;
  std::string command{user_engine.*which};
  if (reader && who.uid == *whose) return command;
  return fmt::format("sudo -u '#{0}' env XDG_RUNTIME_DIR={1}{0} {2}", *whose, users_sockets,
                     command);
}

std::optional<std::string> own_settings_file(std::string_view data_root) {
  if (!data_root.starts_with(snap_data)) return std::nullopt;
  return snap_settings;
}

std::string settings_file(const Facts& facts) {
  return starter_of(facts) == Starter::snap ? snap_settings : std::string{usual_settings};
}

}  // namespace gantry::doctor
