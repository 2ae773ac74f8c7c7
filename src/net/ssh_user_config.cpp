#include "net/ssh_user_config.hpp"

#include "async/deadline.hpp"
#include "async/process.hpp"
#include "base/text.hpp"
#include "net/ssh_room.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>

#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr std::size_t output_max = 256U << 10U;
constexpr auto patience = Seconds{10};

/// How a keyword's value is written back.
enum class Form { word, rest, path };
struct Taken {
  std::string_view keyword;
  Form form;
};
/// Lists of algorithms are taken as they are: an old machine may need an old one, and it is the
/// user who allowed it.
constexpr Taken taken[] = {
    {"addressfamily", Form::word},
    {"bindaddress", Form::word},
    {"bindinterface", Form::word},
    {"certificatefile", Form::path},
    {"ciphers", Form::word},
    {"hostkeyalgorithms", Form::word},
    {"identitiesonly", Form::word},
    {"identityfile", Form::path},
    {"kexalgorithms", Form::word},
    {"macs", Form::word},
    {"pkcs11provider", Form::path},
    {"proxycommand", Form::rest},
    {"pubkeyacceptedalgorithms", Form::word},
};

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; });
}

/// The line of a block; nothing when this keyword is not taken over.
std::optional<std::string> option_of(std::string_view keyword, std::string_view value,
                                     const SshSettings& settings) {
  auto known = std::ranges::find(taken, keyword, &Taken::keyword);
  if (known == std::end(taken) || value.empty() || has_control(value)) return std::nullopt;
  bool own_key = !settings.identity.empty() || !settings.identity_file.empty();
  if (own_key && keyword == "identityfile") return std::nullopt;
  if (value == "none") return std::nullopt;
  if (known->form == Form::path) {
    if (value.find('"') != value.npos) return std::nullopt;
    return fmt::format("{} \"{}\"", keyword, value);
  }
  if (known->form == Form::word && value.find(' ') != value.npos) return std::nullopt;
  return fmt::format("{} {}", keyword, value);
}

/// `hostname ::1` has no brackets.
Result<SshHop> hop_of(std::string_view user, std::string_view host, std::string_view port) {
  auto name = host.find(':') == host.npos ? std::string{host} : fmt::format("[{}]", host);
  return SshHop::parse(fmt::format("{}{}{}:{}", user, user.empty() ? "" : "@", name, port));
}

Error unusable(const SshHop& hop, std::string_view cause) {
  return {ErrorKind::unavailable, "ssh_config_unusable",
          fmt::format("cannot look up '{}' in the SSH configuration: {}", hop.text(), cause),
          "try 'ssh -G' with this name as Gantry's user"};
}

async::task<SshResolved> resolve(SshHop hop, const SshSettings& settings, const SshPlaces& places) {
  std::vector<std::string> argv{places.ssh, "-G", "-T", "-F", places.user_config};
  if (!hop.user.empty()) argv.insert(argv.end(), {"-l", hop.user});
  if (hop.port != 0) argv.insert(argv.end(), {"-p", std::to_string(hop.port)});
  argv.insert(argv.end(), {"--", hop.host});
  auto asked = co_await async::with_deadline(
      patience, "reading the SSH configuration",
      async::run_process({.argv = argv, .env = ssh_environment(places, {})}, output_max));
  if (!asked) {
    throw Failure{{ErrorKind::unavailable, "ssh_missing", asked.error().message,
                   "install the package 'openssh-client'"}};
  }
  if (!asked->status.success()) {
    throw Failure{unusable(hop, text::shortened(text::one_line(asked->output), 300))};
  }
  co_return value_or_throw(read_ssh_resolved(asked->output, settings));
}

}  // namespace

Result<SshResolved> read_ssh_resolved(std::string_view output, const SshSettings& settings) {
  SshResolved resolved;
  std::string_view user;
  std::string_view host;
  std::string_view port;
  std::string_view alias;
  for (auto line : text::split(output, '\n')) {
    auto space = std::min(line.find(' '), line.size());
    auto keyword = line.substr(0, space);
    auto value = text::trimmed(line.substr(space));
    if (keyword == "user") user = value;
    if (keyword == "hostname") host = value;
    if (keyword == "port") port = value;
    if (keyword == "hostkeyalias") alias = value;
    if (keyword == "proxyjump" && value != "none") {
      for (auto text : text::split(value, ',')) {
        auto jump = SshHop::parse(text.starts_with("ssh://") ? text.substr(6) : text);
        if (!jump) return fail(jump.error());
        resolved.jumps.push_back(std::move(*jump));
      }
    }
    if (auto option = option_of(keyword, value, settings)) {
      resolved.machine.options.push_back(std::move(*option));
    }
  }
  auto hop = hop_of(user, host, port);
  if (!hop) return fail(hop.error());
  resolved.machine.hop = std::move(*hop);
  resolved.machine.known_as = ssh_known_name(resolved.machine.hop);
  if (!alias.empty()) {
    auto named = SshHop::parse(alias);
    if (!named) return fail(named.error());
    resolved.machine.known_as = text::lowered(alias);
  }
  return resolved;
}

async::task<SshWay> find_ssh_way(SshHop host, const SshSettings& settings,
                                 const SshPlaces& places) {
  if (settings.config == SshSettings::UserConfig::ignored) co_return plain_ssh_way(host, settings);
  if (places.user_config.empty()) {
    throw Failure{{ErrorKind::denied, "ssh_config_not_allowed",
                   "cannot use the user's SSH configuration: this server's owner does not allow it",
                   "name the host by its address, or let the owner allow the configuration"}};
  }
  auto last = co_await resolve(std::move(host), settings, places);
  auto jumps = settings.jumps.empty() ? std::move(last.jumps) : settings.jumps;
  // As OpenSSH does it: the first machine may itself lie behind others, the next ones do not.
  while (!jumps.empty()) {
    auto first = co_await resolve(jumps.front(), settings, places);
    if (first.jumps.empty()) break;
    if (jumps.size() + first.jumps.size() > ssh_jumps_max) {
      throw Failure{unusable(last.machine.hop, "it lies behind itself, or behind too many others")};
    }
    jumps.insert(jumps.begin(), first.jumps.begin(), first.jumps.end());
  }
  SshWay way;
  for (const auto& jump : jumps) {
    auto found = co_await resolve(jump, settings, places);
    way.push_back(std::move(found.machine));
  }
  way.push_back(std::move(last.machine));
  co_return way;
}

}  // namespace gantry::net
