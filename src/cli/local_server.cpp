#include "cli/local_server.hpp"

#include "base/text.hpp"
#include "cli/api_client.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace gantry::cli {
namespace {

constexpr std::size_t addresses_bytes_max = 4096;

}  // namespace

std::filesystem::path addresses_beside(const std::filesystem::path& token_file) {
  return token_file.parent_path() / "local.addresses";
}

std::string addresses_text(const std::vector<std::string>& urls) {
  std::string out;
  for (const auto& url : urls) out += url + "\n";
  return out;
}

std::vector<std::string> local_addresses(std::string_view text) {
  std::vector<std::string> urls;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    std::string url{text::trimmed(text.substr(0, end))};
    text.remove_prefix(std::min(end + 1, text.size()));
    if (auto endpoint = server_endpoint(url); endpoint && is_local(*endpoint)) {
      urls.push_back(std::move(url));
    }
  }
  return urls;
}

std::vector<std::string> read_local_addresses(const std::filesystem::path& token_file) {
  std::ifstream file{addresses_beside(token_file)};
  std::string text(addresses_bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return local_addresses(text);
}

std::optional<net::Endpoint> listed_endpoint(const net::Endpoint& asked,
                                             const std::vector<std::string>& urls) {
  for (const auto& url : urls) {
    auto listed = server_endpoint(url);
    if (!listed || listed->scheme() != asked.scheme() || listed->port() != asked.port()) continue;
    if (listed->host() == asked.host()) return asked;
    if (asked.host() != "localhost") continue;
    // With TLS the certificate says who answers, and it is the name's.
    return asked.scheme() == net::Endpoint::Scheme::tls ? asked : *listed;
  }
  return std::nullopt;
}

}  // namespace gantry::cli
