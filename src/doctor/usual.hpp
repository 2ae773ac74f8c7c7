#pragma once

#include <string_view>

/// What Docker calls things and where it puts them, unless it is told otherwise.
namespace gantry::doctor {

inline constexpr std::string_view usual_socket = "/var/run/docker.sock";
inline constexpr std::string_view usual_endpoint = "unix:///var/run/docker.sock";
inline constexpr std::string_view usual_group = "docker";
inline constexpr std::string_view usual_settings = "/etc/docker/daemon.json";
inline constexpr std::string_view usual_data_root = "/var/lib/docker";

}  // namespace gantry::doctor
