#pragma once

#include "cli/commands.hpp"

namespace gantry::cli {

/// Standard input, which does not show what is typed for as long as this lives, but for the end of
/// the line. It is put back on every way out: by the destructor, and through ScreenWatch where the
/// process ends without one. Nothing changes where it is no terminal.
class Unechoed {
 public:
  explicit Unechoed(ScreenWatch& watch);
  Unechoed(const Unechoed&) = delete;
  Unechoed& operator=(const Unechoed&) = delete;
  ~Unechoed();

  bool is_terminal() const { return is_terminal_; }

 private:
  ScreenWatch& watch_;
  bool is_terminal_ = false;
};

}  // namespace gantry::cli
