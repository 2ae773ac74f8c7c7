#pragma once

#include "base/json.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the routes that start processes in containers share.
namespace gantry::api {

/// As whom, where and with which variables a process runs.
struct ExecPlace {
  std::string user;
  std::string working_dir;
  std::vector<std::pair<std::string, std::string>> env;
};
/// `user`, `working_dir` and `env` of a request. Folders below /proc, /sys and /dev are refused:
/// through them a process could come to stand outside of its container (CVE-2024-21626).
ExecPlace read_exec_place(json::Fields& fields);
/// A program's name or path: letters, digits and `_ . / + -`, not beginning with `-`.
bool valid_program(std::string_view text);

}  // namespace gantry::api
