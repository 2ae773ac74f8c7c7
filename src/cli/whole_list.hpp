#pragma once

#include "cli/api_client.hpp"

namespace gantry::cli {

/// All pages of a list as one answer, at most 1,000 of them.
async::task<Result<json::Value>> whole_list(ApiClient& server, std::string doing,
                                            std::string target);

}  // namespace gantry::cli
