#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/containers.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::engine {

struct Volume {
  std::string name;
  std::string driver;
  std::string created;     ///< RFC 3339 as the engine wrote it.
  std::string mountpoint;  ///< On the engine's machine.
  std::string scope;       ///< `local`, `global`
  std::map<std::string, std::string> labels;
  /// The driver's; may hold a password (`o` of a CIFS mount).
  std::map<std::string, std::string> options;
};

/// What a new volume shall be. An empty name: the engine makes one up.
struct VolumeSpec {
  std::string name;
  std::string driver = "local";
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> labels = {};
};

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}`
bool valid_volume_name(std::string_view text);

/// Answers the one that is there when the name is taken.
async::task<Result<Volume>> create_volume(Client& client, VolumeSpec spec);
async::task<Result<Volume>> create_volume(Client& client, std::string name,
                                          std::map<std::string, std::string> labels);
async::task<Result<Volume>> inspect_volume(Client& client, std::string name);
async::task<Result<std::vector<Volume>>> list_volumes(Client& client, LabelFilters labels);
/// Refused (conflict) while a container has it, started or not.
async::task<Result<>> remove_volume(Client& client, std::string name);

}  // namespace gantry::engine
