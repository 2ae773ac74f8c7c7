#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The contexts of Docker's own client (https://docs.docker.com/engine/manage-resources/contexts/),
/// as hosts of ours.
namespace gantry::cli {

/// One of them: how its engine is reached, and the PEM texts that belong to it.
struct DockerContext {
  std::string name;
  std::string endpoint;  ///< `tcp://…` with certificates is `tls://…` for us.
  std::string authorities;
  std::string certificate;
  std::string key;

  /// The body of POST /api/v1/hosts.
  json::Object host_body(const std::string& host_name) const;
};

/// One file of a context by its name in the store, such as `tls/docker/ca.pem`; nothing when it is
/// not there.
using ContextFile = std::function<std::optional<std::string>(std::string_view name)>;

/// Reads `meta.json` and the certificates. Refused (`bad_docker_context`): what has no Docker
/// endpoint, and one that skips the check of certificates, which we do not.
Result<DockerContext> read_docker_context(const ContextFile& file, const std::string& place);

/// As `docker context export` wrote it.
Result<DockerContext> read_exported_context(const std::filesystem::path& file);
/// Of this user, from `~/.docker/contexts`.
Result<DockerContext> read_own_context(const std::filesystem::path& docker_folder,
                                       const std::string& name);
/// The names of this user's contexts, in their order.
std::vector<std::string> own_context_names(const std::filesystem::path& docker_folder);

/// What can be a host's name, of any name: `My Server` becomes `my-server`.
std::string host_name_of(std::string_view name);

}  // namespace gantry::cli
