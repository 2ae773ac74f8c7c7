#include "net/ssh_settings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr std::size_t user_max = 64;
constexpr std::size_t host_max = 253;
constexpr std::size_t identity_max = 64U << 10U;
constexpr std::size_t certificate_max = 16U << 10U;
constexpr std::size_t answer_max = 1'000;  // OpenSSH reads 1023 bytes of an answer
constexpr std::size_t path_max = 1'024;
constexpr std::string_view form = "write it as user@host:port; IPv6 addresses stand in brackets";

std::unexpected<Error> refused(std::string_view text, std::string_view cause) {
  return fail(ErrorKind::invalid, "bad_endpoint",
              fmt::format("cannot log in to '{}' by SSH: {}", text::one_line(text), cause),
              std::string{form});
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_name_character(char c) { return is_word(c) || c == '.' || c == '-'; }

/// Begins with what no option begins with, and holds nothing that is expanded.
bool is_name(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max && is_word(text.front()) &&
         std::ranges::all_of(text, is_name_character);
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

std::unexpected<Error> unusable(std::string_view what, std::string_view cause,
                                std::string_view remedy) {
  return fail(ErrorKind::invalid, "bad_ssh_settings",
              fmt::format("cannot use the {} for SSH: {}", what, cause), std::string{remedy});
}

bool is_control(char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }
bool in_one_line(std::string_view text) { return std::ranges::none_of(text, is_control); }

Result<> check_identity(std::string_view key) {
  constexpr std::string_view remedy = "give the text of the file that ssh-keygen wrote";
  if (key.size() > identity_max) return unusable("identity", "it is over 64 KiB", remedy);
  auto begins = text::trimmed(key).starts_with("-----BEGIN ");
  if (!begins || key.find("PRIVATE KEY-----") == key.npos) {
    return unusable("identity", "it is not a private key", remedy);
  }
  auto strange = [](char c) { return is_control(c) && c != '\n' && c != '\r' && c != '\t'; };
  if (std::ranges::any_of(key, strange)) return unusable("identity", "it is no text", remedy);
  return ok;
}

Result<> check_certificate(std::string_view certificate) {
  constexpr std::string_view remedy = "give the one line of the file *-cert.pub";
  auto line = text::trimmed(certificate);
  if (certificate.size() > certificate_max) {
    return unusable("certificate", "it is over 16 KiB", remedy);
  }
  if (!in_one_line(line)) return unusable("certificate", "it is more than one line", remedy);
  auto type = line.substr(0, line.find(' '));
  if (type.find("-cert-v01@openssh.com") == type.npos || type.size() == line.size()) {
    return unusable("certificate", "it is not an OpenSSH certificate", remedy);
  }
  return ok;
}

/// OpenSSH expands `%` and `${` in names of files, and quotes end at `"`.
Result<> check_path(std::string_view path) {
  auto plain = [](char c) {
    return is_name_character(c) || c == '/' || c == '+' || c == '@' || c == ',' || c == ' ';
  };
  if (!path.starts_with('/') || path.size() > path_max || !std::ranges::all_of(path, plain)) {
    return unusable("identity_file", "it is not an absolute path of plain characters",
                    "use letters, digits, spaces and /._-+@,");
  }
  return ok;
}

Result<> check_answer(std::string_view what, const Secret& answer) {
  constexpr std::string_view remedy = "use at most 1000 bytes in one line";
  if (answer.reveal().size() > answer_max) return unusable(what, "it is too long", remedy);
  if (!in_one_line(answer.reveal())) {
    return unusable(what, "it holds a line break or another control character", remedy);
  }
  return ok;
}

}  // namespace

Result<SshHop> SshHop::parse(std::string_view text) {
  SshHop hop;
  auto rest = text;
  if (auto at = rest.find('@'); at != rest.npos) {
    if (!is_name(rest.substr(0, at), user_max)) return refused(text, "the user is malformed");
    hop.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  if (rest.starts_with('[')) {
    auto close = std::min(rest.find(']'), rest.size() - 1);
    hop.host = rest.substr(1, close - 1);
    if (rest[close] != ']' || !is_ipv6(hop.host)) {
      return refused(text, "the address in brackets is not IPv6");
    }
    rest.remove_prefix(close + 1);
  } else {
    auto end = std::min(rest.find(':'), rest.size());
    if (!is_name(rest.substr(0, end), host_max)) {
      return refused(text, "the host's name is malformed");
    }
    hop.host = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  if (!rest.empty() && (rest.front() != ':' || !parse_port(rest.substr(1), hop.port))) {
    return refused(text, "the port is not a number from 1 to 65535");
  }
  return hop;
}

std::string SshHop::text() const {
  auto name = host.find(':') == host.npos ? host : fmt::format("[{}]", host);
  return fmt::format("{}{}{}{}", user, user.empty() ? "" : "@", name,
                     port == 0 ? std::string{} : fmt::format(":{}", port));
}

Result<std::vector<SshHop>> SshSettings::parse_jumps(const std::vector<std::string>& texts) {
  if (texts.size() > ssh_jumps_max) {
    return unusable("jump hosts", fmt::format("there are more than {}", ssh_jumps_max), {});
  }
  std::vector<SshHop> hops;
  for (const auto& text : texts) {
    auto hop = SshHop::parse(text);
    if (!hop) return fail(hop.error());
    hops.push_back(std::move(*hop));
  }
  return hops;
}

Result<> SshSettings::check() const {
  if (jumps.size() > ssh_jumps_max) {
    return unusable("jump hosts", fmt::format("there are more than {}", ssh_jumps_max), {});
  }
  for (const auto& hop : jumps) {
    if (auto again = SshHop::parse(hop.text()); !again || *again != hop) {
      return refused(hop.text(), "the jump host is malformed");
    }
  }
  if (!identity.empty() && !identity_file.empty()) {
    return unusable("identity", "a key and the path of a key are both given", "give one of them");
  }
  Result<> checked = ok;
  if (!identity.empty()) checked = check_identity(identity.reveal());
  if (checked && !identity_file.empty()) checked = check_path(identity_file);
  if (checked && !certificate.empty()) checked = check_certificate(certificate);
  if (checked) checked = check_answer("passphrase", passphrase);
  if (checked) checked = check_answer("password", password);
  return checked;
}

}  // namespace gantry::net
