#pragma once

#include "cli/api_client.hpp"

#include <string>

namespace gantry::cli {

/// A container, by host.
struct FoundContainer {
  std::string host;
  std::string id;
  std::string name;

  /// `/api/v1/hosts/web1/containers/0123456789ab…`
  std::string path() const;
};

/// The one container that `word` names: by its whole id, exactly by name, or by the beginning of
/// its id, on `host` or, when that is empty, on any. Refused: `no_such_container`, and
/// `ambiguous_container` when several have the name, or one's name is how another's id begins;
/// they are told.
async::task<Result<FoundContainer>> find_container(ApiClient& server, std::string host,
                                                   std::string word);
/// The same of an answer of /api/v1/containers. Pure.
Result<FoundContainer> choose_container(const json::Value& answer, const std::string& word);

/// The host that is meant when none is named: the default one, or the only one there is.
async::task<Result<std::string>> default_host(ApiClient& server);

/// The one host that has a Compose project of this name. Refused: `no_such_project`,
/// `ambiguous_project`.
async::task<Result<std::string>> project_host(ApiClient& server, std::string project);

/// What is said of a container by its id, said by the name that somebody gave.
Error by_name(Error error, const FoundContainer& container);

}  // namespace gantry::cli
