#pragma once

#include "engine/containers.hpp"
#include "engine/images.hpp"
#include "engine/networks.hpp"
#include "engine/volumes.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Everything an engine tells is somebody's text: it is cut to what is kept of it, for a server
/// that follows many engines must not grow as one of them likes.
namespace gantry::fleet {

/// At most 256 names of 256 bytes, with values of 4 KiB, and 32 KiB altogether.
std::map<std::string, std::string> trimmed_pairs(const std::map<std::string, std::string>& pairs);
/// One line of at most 256 bytes, without what moves a terminal's cursor.
std::string trimmed_name(std::string_view name);
/// At most 1,024 of them.
std::vector<engine::Port> trimmed_ports(const std::vector<engine::Port>& ports);

/// All texts of it, and how many there are.
void trim(engine::ImageSummary& image);
/// The same; who is in it is not kept.
void trim(engine::Network& network);
/// The same.
void trim(engine::Volume& volume);

}  // namespace gantry::fleet
