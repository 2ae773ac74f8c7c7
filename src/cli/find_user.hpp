#pragma once

#include "cli/api_client.hpp"

#include <string>

namespace gantry::cli {

/// The id of the user whom `word` means: by the whole id, or exactly by name, in capitals or not.
/// Refused: `no_such_user`, and `ambiguous_user` when one's name is another's id.
async::task<Result<std::string>> find_user(ApiClient& server, std::string word);
/// The same of an answer of /api/v1/users. Pure.
Result<std::string> choose_user(const json::Value& answer, const std::string& word);

}  // namespace gantry::cli
