#pragma once

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "engine/exec.hpp"

#include <functional>

namespace gantry::cli {

/// This process's terminal, which hands on every key as it is for as long as this lives. It is put
/// back on every way out: by the destructor, and through ScreenWatch where the process ends without
/// one.
class RawTerminal {
 public:
  /// Refused (invalid, `not_a_terminal`) where standard input or output is none.
  static Result<> check();
  explicit RawTerminal(ScreenWatch& watch);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  /// As large as it is now; 80 × 24 where it does not know.
  static engine::TerminalSize size();

 private:
  ScreenWatch& watch_;
};

}  // namespace gantry::cli
