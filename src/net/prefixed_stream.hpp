#pragma once

#include "net/stream.hpp"

#include <memory>
#include <string>

namespace gantry::net {

/// `rest`, with `bytes` that were already read from it handed out first.
std::unique_ptr<Stream> prefixed_stream(std::string bytes, std::unique_ptr<Stream> rest);

}  // namespace gantry::net
