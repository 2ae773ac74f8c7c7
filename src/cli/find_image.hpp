#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <string>

namespace gantry::cli {

/// An image of a host, and under which of its names somebody meant it.
struct FoundImage {
  std::string id;
  std::string name;  ///< Empty: by its id.
};

/// The one image of the list in `answer` that `word` means: one of its names, with `latest` for a
/// tag that is left out, or the beginning of its id. Refused: `no_such_image`, `ambiguous_image`.
Result<FoundImage> choose_image(const json::Value& answer, const std::string& word,
                                const std::string& host);

}  // namespace gantry::cli
