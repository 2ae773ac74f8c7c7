#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The contexts of Docker's own client
/// (https://docs.docker.com/engine/manage-resources/contexts/).
namespace gantry::engine {

/// One of them: how its engine is reached, and the PEM texts that belong to it.
struct DockerContext {
  std::string name;
  std::string endpoint;  ///< `tcp://…` with certificates is `tls://…` for us.
  std::string authorities;
  std::string certificate;
  std::string key;
  bool verified = true;  ///< Docker's client checks the engine's certificate.
};

/// One file of a context by its name in the store, such as `tls/docker/ca.pem`; nothing when it is
/// not there.
using ContextFile = std::function<std::optional<std::string>(std::string_view name)>;
/// No file of a context is larger.
inline constexpr std::size_t context_file_max = 1U << 20U;

/// Reads `meta.json` and the certificates. Refused (`bad_docker_context`): what has no Docker
/// endpoint.
Result<DockerContext> read_any_docker_context(const ContextFile& file, const std::string& place);
/// As `read_any_docker_context`, for who wants to use it: one that skips the check of certificates,
/// which we do not, is refused as well.
Result<DockerContext> read_docker_context(const ContextFile& file, const std::string& place);
/// Of this user, from `~/.docker/contexts`: any, or one that can be used.
Result<DockerContext> read_any_own_context(const std::filesystem::path& docker_folder,
                                           const std::string& name);
Result<DockerContext> read_own_context(const std::filesystem::path& docker_folder,
                                       const std::string& name);
/// The names of this user's contexts, in their order.
std::vector<std::string> own_context_names(const std::filesystem::path& docker_folder);
/// The refusal of one, named by its place.
Error bad_docker_context(const std::string& place, std::string_view cause, std::string remedy);

}  // namespace gantry::engine
