#pragma once

#include "doctor/checks.hpp"
#include "doctor/facts.hpp"
#include "net/endpoint.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

/// Words that the judges share.
namespace gantry::doctor::judge {

inline Finding skipped(std::string why) { return {State::skipped, std::move(why)}; }
inline Finding unseen(std::string why) { return {State::unseen, std::move(why)}; }
inline Finding fine(std::string summary) { return {State::ok, std::move(summary)}; }
inline Finding note(std::string summary, std::vector<Step> remedy = {}) {
  return {State::note, std::move(summary), std::move(remedy)};
}
inline Finding warning(std::string summary, std::vector<Step> remedy) {
  return {State::warning, std::move(summary), std::move(remedy)};
}
inline Finding failed(std::string summary, std::vector<Step> remedy) {
  return {State::failed, std::move(summary), std::move(remedy)};
}

/// Of a row about the socket's rights, where there is none to look at.
Finding without_socket(const Facts& facts);

/// `'docker' (998)`, or `998, which has no name`.
inline std::string group_text(const SocketFile& socket) {
  return socket.group.empty() ? fmt::format("{}, which has no name", socket.gid)
                              : fmt::format("'{}' ({})", socket.group, socket.gid);
}

/// Of a host that is reached over SSH: takes another socket there.
inline Step name_in_endpoint(const EndpointFacts& chosen, const std::string& path) {
  auto endpoint = net::Endpoint::parse(chosen.text);
  auto login = endpoint ? endpoint->hop().text() : std::string{};
  return {fmt::format("make 'ssh://{}{}' the host's endpoint", login, path)};
}

/// As one word of a command: paths and names may hold anything, and people copy commands.
std::string shell_word(std::string_view text);

/// A step that ends with a restart of the engine, which comes after what `before` does: `what`
/// says so, and this adds what becomes of containers. None is given for an engine that is outside.
Step with_restart(const Facts& facts, std::string what, std::string_view before = {});

/// `srw-rw----`
inline std::string mode_text(unsigned mode) {
  std::string text = "srwxrwxrwx";
  for (std::size_t bit = 0; bit < 9; ++bit) {
    if ((mode >> (8 - bit) & 1U) == 0) text[bit + 1] = '-';
  }
  return text;
}

}  // namespace gantry::doctor::judge
