#include "net/ssh_log.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::net {
namespace {

using Stage = SshLog::Stage;

constexpr std::size_t lines_max = 32;
constexpr std::size_t line_max = 300;

std::string_view after(std::string_view line, std::string_view what) {
  auto at = line.find(what);
  return at == line.npos ? std::string_view{} : line.substr(at + what.size());
}

std::string_view between(std::string_view line, std::string_view begin, std::string_view end) {
  auto rest = after(line, begin);
  return rest.substr(0, rest.find(end));
}

/// `ssh-ed25519 SHA256:…`; a certificate's line goes on after a comma.
std::optional<SshHostKey> read_key(std::string_view line) {
  auto rest = after(line, line.find("Server host certificate: ") == line.npos
                              ? "Server host key: "
                              : "Server host certificate: ");
  auto space = rest.find(' ');
  if (space == rest.npos) return std::nullopt;
  std::string type{rest.substr(0, space)};
  if (auto cert = type.find("-cert-v01"); cert != type.npos) type.resize(cert);
  auto fingerprint = rest.substr(space + 1);
  return SshHostKey{{}, std::move(type), std::string{fingerprint.substr(0, fingerprint.find(','))}};
}

/// What OpenSSH says when all is well.
bool is_small_talk(std::string_view line) {
  constexpr std::string_view beginnings[] = {
      "Authenticated to ", "Transferred: ", "Bytes per second: ", "Warning: Permanently added "};
  return line.empty() || std::ranges::any_of(beginnings, [&](std::string_view beginning) {
           return line.starts_with(beginning);
         });
}

/// A line that says what went wrong.
struct Sign {
  std::string_view text;
  ErrorKind kind;
  std::string_view code;
  std::string_view cause;
  std::string_view remedy;
};

constexpr std::string_view check_network = "check the address, the port and the network between";
constexpr std::string_view check_name =
    "check its spelling, and the name server of the machine that dials it";
constexpr std::string_view weak_server = "bring its SSH server up to date";

/// In the order in which they are looked for; the first that is found says it.
constexpr Sign signs[] = {
    {"failed to execute", ErrorKind::unavailable, "ssh_missing",
     "OpenSSH's client is not installed here", "install the package 'openssh-client'"},
    {"Could not resolve hostname", ErrorKind::unavailable, "ssh_name_unknown",
     "nobody knows this name", check_name},
    {"Name or service not known", ErrorKind::unavailable, "ssh_name_unknown",
     "nobody knows this name", check_name},
    {"open failed: administratively prohibited", ErrorKind::denied, "ssh_jump_refused",
     "the jump host before it forwards no connections to it",
     "set 'AllowTcpForwarding yes' in the jump host's sshd_config"},
    {"Connection refused", ErrorKind::unavailable, "ssh_refused", "nothing listens on its port",
     "start its SSH server, or name the right port"},
    {"Connection timed out", ErrorKind::timed_out, "ssh_timed_out", "no answer in time",
     check_network},
    {"Operation timed out", ErrorKind::timed_out, "ssh_timed_out", "no answer in time",
     check_network},
    {"Timeout, server ", ErrorKind::timed_out, "ssh_timed_out", "it gave no sign of life any more",
     check_network},
    {"No route to host", ErrorKind::unavailable, "ssh_unreachable", "there is no route to it",
     check_network},
    {"Network is unreachable", ErrorKind::unavailable, "ssh_unreachable",
     "its network can not be reached", check_network},
    {"Unable to negotiate with ", ErrorKind::unavailable, "ssh_no_agreement",
     "it offers no algorithm that is still considered safe", weak_server},
    {"Bad remote protocol version", ErrorKind::unavailable, "ssh_no_agreement",
     "what answers there is not an SSH server", "name the right port"},
    {"banner line contains invalid characters", ErrorKind::unavailable, "ssh_no_agreement",
     "what answers there is not an SSH server", "name the right port"},
    {"No user exists for uid", ErrorKind::unavailable, "ssh_account_missing",
     "OpenSSH runs only for users with an account, and Gantry's user has none",
     "run Gantry as a user of /etc/passwd"},
};

/// Said while OpenSSH goes on; they matter once nobody let us in.
constexpr std::string_view unopened =
    "the machine accepts the key, but its passphrase is missing or wrong";
constexpr std::string_view identity_troubles[] = {
    "incorrect passphrase",    "invalid format",   "error in libcrypto",  "bad permissions",
    "UNPROTECTED PRIVATE KEY", "no such identity", "Certificate invalid",
};

}  // namespace

void SshLog::line(std::string_view line) {
  line = text::trimmed(line);
  if (!line.starts_with("debug")) {
    if (lines_.size() == lines_max) lines_.erase(lines_.begin());
    if (!is_small_talk(line)) lines_.push_back(text::shortened(text::one_line(line), line_max));
    look_for_error(line);
  }
  step(line);
}

void SshLog::step(std::string_view line) {
  if (line.starts_with("debug1: Connecting to ") && machine_ == 0 && stage_ == Stage::resolve) {
    stage_ = Stage::connect;
    address_ = fmt::format("{} port {}", between(line, "[", "]"), between(line, "] port ", "."));
  } else if (line.starts_with("debug1: Remote protocol version") ||
             line == "debug1: Connection established.") {
    stage_ = std::max(stage_, Stage::host_key);
  } else if (line.starts_with("debug1: Server host ")) {
    if (auto key = read_key(line)) key_ = std::move(key);
    stage_ = std::max(stage_, Stage::host_key);
  } else if (line == "debug1: SSH2_MSG_SERVICE_ACCEPT received") {
    stage_ = std::max(stage_, Stage::authenticate);
  } else if (line.starts_with("Authenticated to ") && stage_ == Stage::authenticate) {
    method_ = between(line, "using \"", "\"");
    identity_trouble_.clear();
    key_accepted_ = false;
    stage_ = at_last_machine() ? Stage::forward : Stage::connect;
    if (!at_last_machine()) ++machine_;
  } else if (line.starts_with("debug1: Server accepts key: ")) {
    key_accepted_ = true;
  } else if (line.starts_with("debug1: Local forwarding listening on path ") &&
             stage_ == Stage::forward) {
    stage_ = Stage::ready;
  }
}

void SshLog::look_for_error(std::string_view line) {
  if (line.find("open failed: ") != line.npos && stage_ == Stage::ready) {
    ++refused_streams_;
    return;
  }
  if (line.find("partial success") != line.npos) key_accepted_ = false;
  for (auto trouble : identity_troubles) {
    if (line.find(trouble) != line.npos && identity_trouble_.empty()) {
      identity_trouble_ = text::shortened(text::one_line(line), line_max);
    }
  }
  if (error_) return;
  auto shown = key_.value_or(SshHostKey{});
  if (line.find("HOST IDENTIFICATION HAS CHANGED") != line.npos) {
    fail_with(ErrorKind::denied, "ssh_host_key_changed",
              fmt::format("its host key is not the one that was trusted; now it shows {} {}",
                          shown.type, shown.fingerprint),
              "find out why: if the machine was made anew, compare the fingerprint there and trust "
              "it; if not, somebody may be in between");
  } else if (line.find("REVOKED HOST KEY DETECTED") != line.npos) {
    fail_with(ErrorKind::denied, "ssh_host_key_changed", "its host key is marked as revoked",
              "give the machine another host key, and trust that one");
  } else if (line.find(" host key is known for ") != line.npos) {
    fail_with(
        ErrorKind::denied, "ssh_host_key_unknown",
        fmt::format("its host key is not trusted yet: {} {}", shown.type, shown.fingerprint),
        "compare the fingerprint with what 'ssh-keygen -lf' prints for the key in /etc/ssh on "
        "that machine, and trust it");
  } else if (line.find("Permission denied (") != line.npos ||
             line.find("Too many authentication failures") != line.npos) {
    if (key_accepted_ && identity_trouble_.empty()) identity_trouble_ = unopened;
    if (!identity_trouble_.empty()) {
      fail_with(ErrorKind::invalid, "ssh_identity_unusable",
                fmt::format("the identity can not be used: {}", identity_trouble_),
                "check the key, its passphrase and its certificate");
    } else {
      fail_with(ErrorKind::unauthenticated, "ssh_authentication_failed",
                fmt::format("it does not let us in ({})", between(line, "denied (", ")")),
                "check the user, and that the machine accepts this key, certificate or password");
    }
  } else {
    auto sign = std::ranges::find_if(
        signs, [&](const Sign& known) { return line.find(known.text) != line.npos; });
    if (sign == std::end(signs)) return;
    fail_with(sign->kind, std::string{sign->code}, sign->cause, std::string{sign->remedy});
  }
}

void SshLog::fail_with(ErrorKind kind, std::string code, std::string_view cause,
                       std::string remedy) {
  error_ = at_machine(kind, std::move(code), cause, std::move(remedy));
}

Error SshLog::at_machine(ErrorKind kind, std::string code, std::string_view cause,
                         std::string remedy) const {
  auto where = at_last_machine()
                   ? std::string{}
                   : fmt::format(" (jump host {} of {})", machine_ + 1, machines_.size() - 1);
  return {kind, std::move(code),
          fmt::format("cannot reach '{}'{} by SSH: {}", machines_[machine_], where, cause),
          std::move(remedy)};
}

std::string SshLog::last_lines() const {
  constexpr std::size_t few = 3;
  auto from = lines_.size() > few ? lines_.size() - few : 0;
  std::string text;
  for (auto i = from; i < lines_.size(); ++i) text += (i == from ? "" : " / ") + lines_[i];
  return text;
}

Error SshLog::why_ended(async::ExitStatus status) const {
  if (error_) return *error_;
  auto words = last_lines();
  auto cause = status.signal != 0
                   ? fmt::format("OpenSSH was ended by signal {}", status.signal)
                   : fmt::format("the connection ended: {}", words.empty() ? "no word why" : words);
  return at_machine(ErrorKind::unavailable, "ssh_broke", cause, std::string{check_network});
}

}  // namespace gantry::net
