#pragma once

#include "base/secret.hpp"
#include "main/serve_options.hpp"
#include "net/http_server.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a server says to whoever has just started it.
namespace gantry::main {

/// One address that the server listens on.
struct Listener {
  enum class Reach { loopback, network };
  std::string address;  ///< As bound: `0.0.0.0:5920`.
  std::string url;      ///< How this machine reaches it: `http://127.0.0.1:5920`.
  Reach reach;
  net::http::Transport transport = net::http::Transport::plain;
};
/// `address` as it was given (`ADDR:PORT`), `port` the one it got.
Listener listener_of(std::string_view address, std::uint16_t port,
                     net::http::Transport transport = net::http::Transport::plain);

/// How this machine reaches them, those on loopback first.
std::vector<std::string> urls_of(const std::vector<Listener>& listeners);

/// Several lines for standard output: every address, the link for the owner while there is none,
/// and a command that runs a program. `listeners` is not empty.
std::string greeting(const ServeOptions& options, const std::vector<Listener>& listeners,
                     const std::optional<Secret>& setup_secret,
                     const std::filesystem::path& token_file);

/// What about these listeners ought to worry their owner, one line each.
std::vector<std::string> listener_warnings(AnonymousExecute anonymous_execute,
                                           const std::vector<Listener>& listeners);

}  // namespace gantry::main
