#include "doctor/services.hpp"

#include "doctor/usual.hpp"

#include <array>
#include <utility>

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

bool is_users_engine(const Facts& facts) {
  // A machine with snaps has systemd, too.
  bool systemd = facts.starter == Starter::systemd || facts.starter == Starter::snap;
  return systemd && facts.socket && facts.socket->path.starts_with(users_sockets);
}

const EngineCommands& engine_commands(const Facts& facts) {
  return is_users_engine(facts) ? user_engine
                                : machine_engines[std::to_underlying(starter_of(facts))];
}

std::optional<std::string> own_settings_file(std::string_view data_root) {
  if (!data_root.starts_with(snap_data)) return std::nullopt;
  return snap_settings;
}

std::string settings_file(const Facts& facts) {
  return starter_of(facts) == Starter::snap ? snap_settings : std::string{usual_settings};
}

}  // namespace gantry::doctor
