#include "main/ssh_options.hpp"

namespace gantry::main {

net::SshPlaces ssh_places(const Settings& settings, const std::filesystem::path& data_dir,
                          std::string_view runtime) {
  net::SshPlaces places;
  places.known_hosts = data_dir / "known_hosts";
  // Systemd names several, the first of which is the service's own.
  if (!runtime.empty()) places.runtime = runtime.substr(0, runtime.find(':'));
  places.agent_socket = text_setting(settings, "ssh_agent", "");
  places.user_config = text_setting(settings, "ssh_config", "");
  return places;
}

}  // namespace gantry::main
