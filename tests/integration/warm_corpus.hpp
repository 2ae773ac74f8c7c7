#pragma once

#include "sandbox/executor.hpp"

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

/// All that anybody learns of a program from outside.
struct Seen {
  Outcome outcome;
  std::string out;
  std::string err;

  /// Notes here what the program writes; this outlives it.
  Observer observer();
};
/// Every byte, but for what is another on every run: the number of a process, addresses.
void expect_same(const Seen& cold, const Seen& warm);

std::vector<WarmSample> python_samples();
std::vector<WarmSample> node_samples();

}  // namespace gantry::sandbox
