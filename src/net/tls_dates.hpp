#pragma once

#include "base/clock.hpp"

#include <optional>
#include <string_view>

namespace gantry::net {

/// When the first of the certificates of a PEM text ends to be valid. Nothing where there is none
/// that can be read.
std::optional<WallTime> first_end_of_certificates(std::string_view pem);

}  // namespace gantry::net
