#include "main/greeting.hpp"

#include "main/version.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>  // tells which addresses are loopback
#include <fmt/format.h>

namespace gantry::main {
namespace {

bool is_loopback(const Listener& listener) { return listener.reach == Listener::Reach::loopback; }

/// Where somebody on this machine is best sent to.
const Listener& nearest(const std::vector<Listener>& listeners) {
  auto found = std::ranges::find_if(listeners, is_loopback);
  return found == listeners.end() ? listeners.front() : *found;
}

}  // namespace

Listener listener_of(std::string_view address, std::uint16_t port, net::http::Transport transport) {
  auto host = address.substr(0, address.rfind(':'));
  auto bare = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  boost::system::error_code malformed;
  auto parsed = boost::asio::ip::make_address(bare, malformed);
  auto reach =
      !malformed && parsed.is_loopback() ? Listener::Reach::loopback : Listener::Reach::network;
  auto near = std::string{host};
  if (!malformed && parsed.is_unspecified()) near = parsed.is_v6() ? "[::1]" : "127.0.0.1";
  auto scheme = transport == net::http::Transport::tls ? "https" : "http";
  return {fmt::format("{}:{}", host, port), fmt::format("{}://{}:{}", scheme, near, port), reach,
          transport};
}

std::vector<std::string> urls_of(const std::vector<Listener>& listeners) {
  std::vector<std::string> urls;
  std::vector<std::string> others;
  for (const auto& listener : listeners) {
    (is_loopback(listener) ? urls : others).push_back(listener.url);
  }
  urls.insert(urls.end(), others.begin(), others.end());
  return urls;
}

std::string greeting(const ServeOptions& options, const std::vector<Listener>& listeners,
                     const std::optional<Secret>& setup_secret,
                     const std::filesystem::path& token_file) {
  const auto& first = nearest(listeners);
  auto text = fmt::format("Gantry {} is ready on {}\n", version, first.url);
  for (const auto& listener : listeners) {
    if (&listener != &first) text += fmt::format("  and on   {}\n", listener.url);
  }
  text +=
      fmt::format("  engine   {}\n  data     {}\n\n", options.engine, options.data_dir.string());
  if (setup_secret) {
    text += fmt::format(
        "This link signs you in as the owner. It works once, within 24 hours:\n  {}/setup#{}\n\n",
        first.url, setup_secret->reveal());
  } else {
    text += fmt::format("Sign in at {}\n\n", first.url);
  }
  bool open = options.anonymous_execute == AnonymousExecute::yes && is_loopback(first);
  auto authorization =
      open ? std::string{}
           : fmt::format("-H \"Authorization: Bearer $(cat '{}')\" ", token_file.string());
  text += fmt::format(
      "Run a program from a shell:\n"
      "  curl {}-H 'Content-Type: application/json' "
      "-d '{{\"script\": \"echo hello from a fresh container\"}}' {}/execute\n",
      authorization, first.url);
  return text;
}

std::vector<std::string> listener_warnings(AnonymousExecute anonymous_execute,
                                           const std::vector<Listener>& listeners) {
  std::vector<std::string> warnings;
  for (const auto& listener : listeners) {
    if (is_loopback(listener) || listener.transport == net::http::Transport::tls) continue;
    warnings.push_back(fmt::format(
        "listening on '{}' is plain HTTP: passwords, tokens and programs can be read on the way; "
        "give it a certificate (--tls-certificate), or put a TLS proxy in front",
        listener.address));
  }
  if (anonymous_execute == AnonymousExecute::yes && std::ranges::none_of(listeners, is_loopback)) {
    warnings.emplace_back(
        "--anonymous-execute opens nothing: it counts on loopback listeners only, and there is "
        "none; add '--listen 127.0.0.1:5920'");
  }
  return warnings;
}

}  // namespace gantry::main
