#pragma once

#include "base/json.hpp"
#include "cli/remote.hpp"

namespace gantry::cli {

/// The texts of files that parameters name.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// One request, ready to be sent.
struct RemoteRequest {
  std::string method;
  std::string target;
  json::Object body;
};

/// What a verb asks the server for. Refuses (invalid, `bad_usage`) values that are not of their
/// kind.
Result<RemoteRequest> request_of(const Verb& verb, const Given& given, const ReadFile& read);
/// The same of a verb that names no files.
Result<RemoteRequest> request_of(const Verb& verb, const Given& given);

/// The error as somebody reads it who knows the command's words and flags, and not the members of
/// the API: `--scope is missing`, for `field 'scopes' is missing`.
Error in_words_of(const Verb& verb, Error error);

/// `/api/v1/hosts/{name}` with the values, percent-encoded.
std::string path_of(std::string_view pattern, const Given& given);
/// `host '{name}' is removed` with the values, as they are.
std::string sentence_of(std::string_view pattern, const Given& given);

}  // namespace gantry::cli
