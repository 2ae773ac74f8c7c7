#include "integration/warm_corpus.hpp"

#include <regex>

#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

std::string comparable(const std::string& text) {
  static const std::regex changing{"node:[0-9]+|0x[0-9a-f]+"};
  return std::regex_replace(text, changing, "…");
}

}  // namespace

Observer Seen::observer() {
  return {.progress = [](std::string) {},
          .serving = {},
          .started = [](Stage) {},
          .output =
              [this](OutputStream stream, std::string_view bytes) {
                (stream == OutputStream::standard_output ? out : err).append(bytes);
              }};
}

void expect_same(const Seen& cold, const Seen& warm) {
  EXPECT_EQ(comparable(warm.out), comparable(cold.out));
  EXPECT_EQ(comparable(warm.err), comparable(cold.err));
  EXPECT_EQ(warm.outcome.verdict, cold.outcome.verdict);
  EXPECT_EQ(warm.outcome.exit_code, cold.outcome.exit_code);
  EXPECT_EQ(warm.outcome.signal, cold.outcome.signal);
  EXPECT_EQ(warm.outcome.message, cold.outcome.message);
  EXPECT_NE(cold.out + cold.err, "") << "a sample that shows nothing";
}

}  // namespace gantry::sandbox
