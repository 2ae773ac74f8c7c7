#include "doctor/container.hpp"

#include "doctor/files.hpp"
#include "doctor/socket_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace gantry::doctor {
namespace {

/// Of Docker and Podman.
constexpr std::array marks{"/.dockerenv", "/run/.containerenv"};

}  // namespace

bool is_container(const ContainerSigns& signs) {
  bool hosts = mount_of(signs.mountinfo, "/etc/hosts").own;
  bool names = mount_of(signs.mountinfo, "/etc/resolv.conf").own;
  return signs.marked ? hosts || names : hosts && names;
}

bool inside_container() {
  auto there = [](const char* mark) {
    std::error_code failed;
    return std::filesystem::exists(mark, failed);
  };
  return is_container({.mountinfo = file_text("/proc/self/mountinfo").value_or(""),
                       .marked = std::ranges::any_of(marks, there)});
}

}  // namespace gantry::doctor
