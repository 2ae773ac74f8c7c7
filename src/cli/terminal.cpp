#include "cli/terminal.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace gantry::cli {

void Terminal::say(std::string_view line) { err_(text::one_line(line) + "\n"); }

void Terminal::progress(std::string_view line) {
  if (errors_ == Kind::screen) {
    err_(fmt::format("\x1b[2m{}\x1b[0m\n", text::one_line(line)));
  } else {
    say(line);
  }
}

void Terminal::aside(std::string_view line) {
  if (errors_ == Kind::screen) progress(fmt::format("gantry: {}", line));
}

Terminal::Write writer_to(int descriptor) {
  return [descriptor](std::string_view bytes) {
    while (!bytes.empty()) {
      auto count = ::write(descriptor, bytes.data(), bytes.size());
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        // Somebody who shares the terminal has made it non-blocking.
        pollfd writable{descriptor, POLLOUT, 0};
        ::poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        bool closed = errno == EPIPE;
        throw Failure{{ErrorKind::unavailable, closed ? "output_closed" : "output_failed",
                       fmt::format("cannot write output: {}", std::strerror(errno)),
                       errno == ENOSPC ? "make room there, or send the output elsewhere" : ""}};
      }
    }
  };
}

}  // namespace gantry::cli
