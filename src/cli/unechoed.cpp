#include "cli/unechoed.hpp"

#include <utility>

#include <termios.h>
#include <unistd.h>

namespace gantry::cli {

Unechoed::Unechoed(ScreenWatch& watch) : watch_{watch} {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return;
  is_terminal_ = true;
  watch_.restore = [before] { ::tcsetattr(STDIN_FILENO, TCSANOW, &before); };
  auto silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  silent.c_lflag |= ECHONL;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
}

Unechoed::~Unechoed() {
  if (!is_terminal_) return;
  auto restore = std::exchange(watch_.restore, nullptr);
  if (restore) restore();
}

}  // namespace gantry::cli
