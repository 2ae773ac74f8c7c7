#pragma once

#include "base/error.hpp"
#include "engine/client.hpp"

#include <string_view>

namespace gantry::engine {

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}`: names of containers and volumes, and every container id.
bool valid_name(std::string_view text);
/// 12 to 64 lower-case hexadecimal digits.
bool valid_id(std::string_view text);

/// Refuses (invalid, `invalid_name`) before a byte is sent.
Result<> check_container(const Doing& doing, std::string_view container);
Result<> check_volume(const Doing& doing, std::string_view volume);
Result<> check_network(const Doing& doing, std::string_view network);
Result<> check_exec(const Doing& doing, std::string_view exec);

}  // namespace gantry::engine
