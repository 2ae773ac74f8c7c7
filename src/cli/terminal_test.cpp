#include "cli/terminal.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a terminal of this kind puts on standard error.
std::string errors_of(Terminal::Kind kind, void (Terminal::*say)(std::string_view)) {
  std::string written;
  Terminal terminal{[](std::string_view) {}, [&](std::string_view bytes) { written += bytes; },
                    kind};
  (terminal.*say)("a\tline");
  return written;
}

/// The code of what a write to this descriptor fails with.
Error failure_of(int descriptor) {
  try {
    writer_to(descriptor)("x");
  } catch (const Failure& failure) {
    return failure.error();
  }
  return Error{};
}

TEST(Terminal, ShowsAnAsideOnlyOnAScreenAndMarksIt) {
  EXPECT_THAT(errors_of(Terminal::Kind::screen, &Terminal::aside), HasSubstr("gantry: a"));
  EXPECT_THAT(errors_of(Terminal::Kind::file, &Terminal::aside), IsEmpty());
}

TEST(Terminal, ShowsProgressEverywhere) {
  EXPECT_THAT(errors_of(Terminal::Kind::file, &Terminal::progress), HasSubstr("line\n"));
}

TEST(Terminal, TellsAFullDeviceFromAReaderThatHasGone) {
  auto full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  auto error = failure_of(full);
  ::close(full);
  EXPECT_EQ(error.code, "output_failed");
  EXPECT_THAT(error.remedy, HasSubstr("room"));
}

}  // namespace
}  // namespace gantry::cli
