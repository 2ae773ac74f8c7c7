#include "net/ssh_way.hpp"

#include "base/text.hpp"

#include <iterator>

#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr std::string_view usual_socket = "/var/run/docker.sock";

std::string alias_of(std::size_t machine, std::size_t count) {
  return machine + 1 == count ? std::string{ssh_host_alias}
                              : fmt::format("gantry-jump-{}", machine);
}

/// RSA keys sign by two algorithms of other names.
std::string algorithms_of(const std::string& type) {
  return type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type;
}

class Block {
 public:
  explicit Block(std::string& text) : text_{text} {}
  void begin(std::string_view pattern) { fmt::format_to(out(), "Host {}\n", pattern); }
  void set(std::string_view keyword, std::string_view value) {
    fmt::format_to(out(), "  {} {}\n", keyword, value);
  }
  void set_path(std::string_view keyword, std::string_view path) {
    fmt::format_to(out(), "  {} \"{}\"\n", keyword, path);
  }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  std::string& text_;
};

void write_scan(Block& block, const SshScan& scan) {
  block.set_path("UserKnownHostsFile", scan.known_hosts);
  if (scan.key == SshScan::Key::recorded) block.set("StrictHostKeyChecking", "accept-new");
  if (!scan.type.empty()) block.set("HostKeyAlgorithms", algorithms_of(scan.type));
  block.set("PreferredAuthentications", "none");
  block.set("PubkeyAuthentication", "no");
}

void write_machine(Block& block, const SshMachine& machine) {
  block.set("HostName", machine.hop.host);
  if (machine.hop.port != 0) block.set("Port", std::to_string(machine.hop.port));
  if (!machine.hop.user.empty()) block.set("User", machine.hop.user);
  block.set("HostKeyAlias", machine.known_as);
}

struct Setting {
  std::string_view keyword;
  std::string_view value;
};

/// What holds for every machine. A jump host is reached by an OpenSSH of its own, which reads this
/// same file; options on the command line would hold for the last machine only (ssh(1), -J).
constexpr Setting everywhere[] = {
    // Who is at the other end, and nobody else's word on it.
    {"StrictHostKeyChecking", "yes"},
    {"GlobalKnownHostsFile", "/dev/null"},
    {"UpdateHostKeys", "no"},
    {"VerifyHostKeyDNS", "no"},
    {"CheckHostIP", "no"},
    {"HashKnownHosts", "no"},
    {"NoHostAuthenticationForLocalhost", "no"},
    {"CanonicalizeHostname", "no"},
    // Nothing but the one forwarding we ask for.
    {"ForwardAgent", "no"},
    {"ForwardX11", "no"},
    {"Tunnel", "no"},
    {"PermitLocalCommand", "no"},
    {"RemoteCommand", "none"},
    {"RequestTTY", "no"},
    {"EscapeChar", "none"},
    {"ControlMaster", "no"},
    {"ControlPath", "none"},
    {"ControlPersist", "no"},
    {"AddKeysToAgent", "no"},
    {"ExitOnForwardFailure", "yes"},
    {"StreamLocalBindUnlink", "yes"},
    {"StreamLocalBindMask", "0177"},
    // How we prove who we are.
    {"GSSAPIAuthentication", "no"},
    {"HostbasedAuthentication", "no"},
    {"PreferredAuthentications", "publickey,keyboard-interactive,password"},
    {"NumberOfPasswordPrompts", "1"},
    // Who has gone is noticed.
    {"ConnectTimeout", "10"},
    {"ServerAliveCountMax", "3"},
    {"TCPKeepAlive", "yes"},
    // net/ssh_log.cpp reads these lines.
    {"LogLevel", "DEBUG1"},
};

}  // namespace

std::string ssh_known_name(const SshHop& hop) {
  auto host = text::lowered(hop.host);
  return hop.port == 0 || hop.port == 22 ? host : fmt::format("[{}]:{}", host, hop.port);
}

SshWay plain_ssh_way(const SshHop& host, const SshSettings& settings) {
  SshWay way;
  for (const auto& jump : settings.jumps) way.push_back({jump, ssh_known_name(jump), {}});
  way.push_back({host, ssh_known_name(host), {}});
  return way;
}

std::string ssh_config(const SshWay& way, const SshConfigFiles& files, SshAnswers answers,
                       Seconds alive_interval, const std::optional<SshScan>& scan) {
  std::string text = "# Written by Gantry for one connection, and removed with it.\n";
  Block block{text};
  for (std::size_t i = 0; i < way.size(); ++i) {
    block.begin(alias_of(i, way.size()));
    if (scan && i + 1 == way.size()) write_scan(block, *scan);
    write_machine(block, way[i]);
    if (i > 0) block.set("ProxyJump", alias_of(i - 1, way.size()));
    // After ours: of two values OpenSSH takes the first.
    for (const auto& option : way[i].options) text += "  " + option + "\n";
  }
  block.begin("*");
  block.set_path("UserKnownHostsFile", files.known_hosts);
  for (const auto& [keyword, value] : everywhere) block.set(keyword, value);
  block.set("ServerAliveInterval", std::to_string(alive_interval.count()));
  block.set("BatchMode", answers == SshAnswers::given ? "no" : "yes");
  if (!files.identity.empty()) {
    block.set_path("IdentityFile", files.identity);
    if (files.agent.empty()) block.set("IdentitiesOnly", "yes");
  }
  if (!files.certificate.empty()) block.set_path("CertificateFile", files.certificate);
  if (files.agent.empty()) block.set("IdentityAgent", "none");
  if (!files.agent.empty()) block.set_path("IdentityAgent", files.agent);
  return text;
}

std::vector<std::string> ssh_forward_arguments(const std::string& config, const std::string& local,
                                               const std::string& remote) {
  return {"-F",
          config,
          "-N",
          "-L",
          fmt::format("{}:{}", local, remote),
          "--",
          std::string{ssh_host_alias}};
}

std::vector<std::string> ssh_command_arguments(const std::string& config,
                                               const std::string& command) {
  return {"-F", config, "-T", "--", std::string{ssh_host_alias}, command};
}

std::vector<std::string> ssh_idle_arguments(const std::string& config) {
  return {"-F", config, "-N", "--", std::string{ssh_host_alias}};
}

std::string ssh_remote_socket(const std::string& path) {
  return path.empty() ? std::string{usual_socket} : path;
}

std::string ssh_stdio_command(const std::string& path) {
  if (path.empty()) return "docker system dial-stdio";
  return fmt::format("docker --host unix://{} system dial-stdio", path);
}

std::string ssh_look_script(const std::string& path) {
  return fmt::format(
      "if [ -S {0} ]; then if [ -r {0} ] && [ -w {0} ]; then echo socket=there; "
      "else echo socket=denied; fi; else echo socket=missing; fi\n"
      "if command -v docker >/dev/null; then echo docker=there; else echo docker=missing; fi",
      ssh_remote_socket(path));
}

}  // namespace gantry::net
