#pragma once

#include "net/endpoint.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A server's word, in its data folder, on where it listens. Its token is worth everything on this
/// machine, and on loopback any user's program may listen: it goes to these addresses alone.
namespace gantry::cli {

constexpr const char* local_token_file = "local.token";

/// The file beside a token's.
std::filesystem::path addresses_beside(const std::filesystem::path& token_file);
/// The addresses, such as `http://127.0.0.1:5920`, as that file has them.
std::string addresses_text(const std::vector<std::string>& urls);
/// Those of them that are on loopback, in their order; the others get no local token.
std::vector<std::string> local_addresses(std::string_view text);
/// What the file beside a token's holds; none where it can not be read.
std::vector<std::string> read_local_addresses(const std::filesystem::path& token_file);

/// What to dial so that `asked` is answered by who listens at one of `urls`, and by nobody else:
/// for the name `localhost`, which may be of two addresses, the one that is listed. None where it
/// is not listed.
std::optional<net::Endpoint> listed_endpoint(const net::Endpoint& asked,
                                             const std::vector<std::string>& urls);

}  // namespace gantry::cli
