#include "engine/refusal.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr std::size_t words_max = 500;

struct StatusTraits {
  unsigned status;
  ErrorKind kind;
  std::string_view code;
};

constexpr std::array status_traits{
    StatusTraits{400, ErrorKind::invalid, "engine_invalid"},
    StatusTraits{401, ErrorKind::denied, "engine_denied"},
    StatusTraits{403, ErrorKind::denied, "engine_denied"},
    StatusTraits{404, ErrorKind::not_found, "engine_not_found"},
    StatusTraits{409, ErrorKind::conflict, "engine_conflict"},
    StatusTraits{413, ErrorKind::too_large, "engine_too_large"},
    StatusTraits{429, ErrorKind::exhausted, "engine_exhausted"},
};

StatusTraits traits_of(unsigned status) {
  for (const auto& traits : status_traits) {
    if (traits.status == status) return traits;
  }
  if (status >= 400 && status < 500) return {status, ErrorKind::invalid, "engine_invalid"};
  return {status, ErrorKind::unavailable, "engine_failed"};
}

/// What the daemon's words tell a person to do. The first row whose `words` occur holds; a row
/// with a code also says more than the status does.
struct KnownCause {
  std::string_view words;
  std::string_view remedy;
  std::optional<ErrorKind> kind = {};
  std::string_view code = {};
};

constexpr std::array known_causes{
    KnownCause{"no space left on device",
               "free space on the engine's disk, for example with 'docker system prune'",
               ErrorKind::exhausted, "engine_disk_full"},
    KnownCause{"a disk usage operation is already running", "try again when it has ended",
               ErrorKind::exhausted, "engine_busy"},
    KnownCause{"No such image", "pull the image first", ErrorKind::not_found, "engine_no_image"},
    KnownCause{"no such image", "pull the image first", ErrorKind::not_found, "engine_no_image"},
    KnownCause{"No such container", "list the containers: it may have been removed meanwhile"},
    KnownCause{"is already in use by container",
               "take another name, or remove the container that has it"},
    KnownCause{"volume is in use", "remove the containers that use it first"},
    KnownCause{"image is being used", "remove the containers that use it first"},
    KnownCause{"image is referenced", "remove by name, or by force"},
    KnownCause{"cannot remove a running container", "stop it first, or remove it by force"},
    KnownCause{"You cannot remove a running container", "stop it first, or remove it by force"},
    KnownCause{"already in progress", "wait until the removal has ended"},
    KnownCause{"is not running", "start it first"},
    KnownCause{"is paused", "unpause it first"},
    // Engine 20.10 calls it a failure of its own (500).
    KnownCause{"is not paused", "it runs already", ErrorKind::conflict, "engine_conflict"},
    KnownCause{"port is already allocated", "free the port, or publish another one"},
    KnownCause{"toomanyrequests", "sign in to the registry, or try again later",
               ErrorKind::exhausted, "engine_registry_limit"},
    KnownCause{"pull access denied", "check the image's name, or sign in to its registry",
               ErrorKind::not_found, "engine_no_such_remote_image"},
    KnownCause{"manifest unknown", "check the image's tag", ErrorKind::not_found,
               "engine_no_such_remote_image"},
    KnownCause{"not found: manifest", "check the image's tag", ErrorKind::not_found,
               "engine_no_such_remote_image"},
    KnownCause{"unauthorized", "sign in to the registry", ErrorKind::denied,
               "engine_registry_denied"},
    KnownCause{"no such host", "check the engine's way to the registry (DNS, proxy, firewall)",
               ErrorKind::unavailable, "engine_registry_unreachable"},
    KnownCause{"dial tcp", "check the engine's way to the registry (DNS, proxy, firewall)",
               ErrorKind::unavailable, "engine_registry_unreachable"},
    KnownCause{"Client.Timeout exceeded",
               "check the engine's way to the registry (DNS, proxy, firewall)",
               ErrorKind::unavailable, "engine_registry_unreachable"},
    KnownCause{"apparmor_parser",
               "install the engine's AppArmor tools ('apt install apparmor') and restart it",
               ErrorKind::unavailable, "engine_without_apparmor"},
    KnownCause{"unknown or invalid runtime name",
               "name a runtime that 'docker info' lists, or register it with the engine"},
};

/// Of Client's own (client.hpp).
constexpr std::array<std::string_view, 9> codes_of_the_way{
    "engine_not_running",   "engine_permission_denied", "engine_socket_missing",
    "engine_not_an_engine", "engine_too_old",           "engine_too_new",
    "engine_unreachable",   "engine_timed_out",         "engine_answer_too_large"};

std::string words_of(unsigned status, std::string_view body) {
  std::string words;
  if (auto value = json::parse(body, json::Keys::tolerant, {.depth_max = 8})) {
    if (const auto* object = value->if_object()) {
      const auto* message = object->if_contains("message");
      if (message != nullptr && message->is_string()) words = std::string{message->get_string()};
    }
  } else {
    words = std::string{text::trimmed(body)};
  }
  if (words.empty()) words = fmt::format("status {} without a reason", status);
  return words;
}

/// Where engines go on with ids of containers, which may be somebody else's than who asks.
struct Telltale {
  std::string_view before;
  std::string_view instead;
};
constexpr std::array telltales{
    Telltale{"is already in use by container", "is already in use by another container"},
    Telltale{"volume is in use", "volume is in use"},
};

/// Without the ids of what is in the way: what a name means is told to those who may see it.
std::string without_ids(std::string_view words) {
  for (const auto& telltale : telltales) {
    auto at = words.find(telltale.before);
    if (at != words.npos) return fmt::format("{}{}", words.substr(0, at), telltale.instead);
  }
  return std::string{words};
}

Error in_words(const Doing& doing, const StatusTraits& traits, std::string_view words) {
  auto shown = text::one_line(text::trimmed(without_ids(words)));
  Error error{traits.kind,
              std::string{traits.code},
              fmt::format("cannot {}: {}", doing.text(), text::shortened(shown, words_max)),
              {}};
  for (const auto& cause : known_causes) {
    if (!words.contains(cause.words)) continue;
    error.remedy = cause.remedy;
    error.kind = cause.kind.value_or(error.kind);
    if (!cause.code.empty()) error.code = cause.code;
    break;
  }
  return error;
}

/// What the dialler of a socket found, as Client calls it.
struct Found {
  std::string_view code;
  std::string_view called;
};
constexpr std::array found_by_dialler{Found{"socket_missing", "engine_socket_missing"},
                                      Found{"socket_permission", "engine_permission_denied"},
                                      Found{"not_a_socket", "engine_not_an_engine"},
                                      Found{"not_listening", "engine_not_running"}};

std::string code_of_way(const Error& cause) {
  if (is_of_the_way(cause)) return cause.code;
  for (const auto& found : found_by_dialler) {
    if (found.code == cause.code) return std::string{found.called};
  }
  return cause.kind == ErrorKind::timed_out ? "engine_timed_out" : "engine_unreachable";
}

}  // namespace

Error refusal(const Doing& doing, unsigned status, std::string_view body) {
  if (status < 400) {
    auto why = fmt::format("status {}, which is no answer to it", status);
    if (status >= 300) why = fmt::format("a redirect (status {}), which is never followed", status);
    return {ErrorKind::unavailable, "engine_redirected",
            fmt::format("cannot {}: the engine answered with {}", doing.text(), why),
            "check that the endpoint is a Docker engine and not a web server before it"};
  }
  return in_words(doing, traits_of(status), words_of(status, body));
}

Error refusal_in_words(const Doing& doing, std::string_view words) {
  return in_words(doing, {0, ErrorKind::unavailable, "engine_failed"}, words);
}

bool refuses_version(unsigned status, std::string_view body) {
  return status == 400 && body.contains("client version ") && body.contains("API version");
}

bool is_of_the_way(const Error& error) {
  // These two also end connections that had been made.
  if (error.code == "tls_cut_off" || error.code == "tls_failed") return false;
  if (error.code.starts_with("ssh_") || error.code.starts_with("tls_")) return true;
  return std::ranges::find(codes_of_the_way, error.code) != codes_of_the_way.end();
}

Error unreachable(const net::Endpoint& endpoint, const Error& cause) {
  auto where = endpoint.text();
  auto why = text::one_line(cause.message);
  // What the dialler begins with says the same.
  auto beginning = fmt::format("cannot connect to '{}': ", where);
  if (why.starts_with(beginning)) why.erase(0, beginning.size());
  return {
      ErrorKind::unavailable, code_of_way(cause),
      fmt::format("cannot reach the engine on '{}': {}", where, text::shortened(why, words_max)),
      cause.remedy.empty() ? "check the address and the way to it" : cause.remedy};
}

Error not_an_engine(const net::Endpoint& endpoint, std::string_view why) {
  return {ErrorKind::unavailable, "engine_not_an_engine",
          fmt::format("cannot use '{}' as an engine: something answers, but not with the Docker "
                      "Engine API: {}",
                      endpoint.text(), why),
          "check the address: it must be a Docker engine's own socket or port"};
}

}  // namespace gantry::engine
