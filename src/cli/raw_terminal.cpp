#include "cli/raw_terminal.hpp"

#include <algorithm>
#include <utility>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace gantry::cli {

Result<> RawTerminal::check() {
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) return ok;
  return fail(ErrorKind::invalid, "not_a_terminal",
              "cannot open a terminal: standard input and output are none",
              "leave '-t' out: 'gantry exec --container -i CONTAINER COMMAND'");
}

RawTerminal::RawTerminal(ScreenWatch& watch) : watch_{watch} {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return;
  watch_.restore = [before] { ::tcsetattr(STDIN_FILENO, TCSANOW, &before); };
  auto raw = before;
  ::cfmakeraw(&raw);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

RawTerminal::~RawTerminal() {
  auto restore = std::exchange(watch_.restore, nullptr);
  if (restore) restore();
}

engine::TerminalSize RawTerminal::size() {
  winsize size{};
  bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  if (!known) return {};
  constexpr unsigned short most = 1000;
  return {.columns = std::min(size.ws_col, most), .rows = std::min(size.ws_row, most)};
}

}  // namespace gantry::cli
