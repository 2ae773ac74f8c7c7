#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace gantry::sandbox {

/// A program that shows something of its surroundings, the same on every run.
struct WarmSample {
  std::string name;
  std::string language;
  std::string source;
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> env = {};
  std::string input = {};
  std::vector<std::pair<std::string, std::string>> files = {};

  friend std::ostream& operator<<(std::ostream& out, const WarmSample& sample) {
    return out << sample.name;
  }
};

std::vector<WarmSample> python_samples();
std::vector<WarmSample> node_samples();

}  // namespace gantry::sandbox
