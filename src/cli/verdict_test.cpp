#include "cli/verdict.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

Ending ending(std::string_view text) {
  return value_or_throw(ending_of(value_or_throw(json::parse(text, json::Keys::strict))));
}

TEST(Ending, IsTheProgramsOwnExitCodeWithoutALine) {
  EXPECT_EQ(ending(R"({"verdict":"ok","exit_code":0,"signal":null})").exit_code, 0);
  auto failed = ending(R"({"verdict":"failed","exit_code":3,"signal":null})");
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(failed.line, "");
}

TEST(Ending, OfASignalIs128AndItsNumber) {
  auto signalled = ending(R"({"verdict":"signalled","exit_code":null,"signal":11})");
  EXPECT_EQ(signalled.exit_code, 139);
  EXPECT_EQ(signalled.line, "signalled: the program was ended by SIGSEGV");
}

TEST(Ending, OfALimitNamesTheVerdict) {
  auto late = ending(R"({"verdict":"timed_out","message":"it ran longer than 5 s"})");
  EXPECT_EQ(late.exit_code, 124);
  EXPECT_EQ(late.line, "timed_out: it ran longer than 5 s");
  EXPECT_EQ(ending(R"({"verdict":"memory_exceeded"})").exit_code, 137);
  EXPECT_EQ(ending(R"({"verdict":"memory_exceeded"})").line,
            "memory_exceeded: the program ran out of memory");
  EXPECT_EQ(ending(R"({"verdict":"cpu_exceeded"})").exit_code, 152);
  EXPECT_EQ(ending(R"({"verdict":"output_exceeded"})").exit_code, 153);
}

TEST(Ending, OfACancellationIsThatOfCtrlC) {
  EXPECT_EQ(ending(R"({"verdict":"cancelled"})").exit_code, 130);
}

TEST(Ending, ThatIsNotTheProgramsDoingIs125) {
  EXPECT_EQ(ending(R"({"verdict":"infrastructure_error","message":"no engine"})").exit_code, 125);
  EXPECT_EQ(ending(R"({"verdict":"a_later_one"})").exit_code, 125);
}

TEST(Ending, IsRefusedForWhatIsNoExecution) { EXPECT_FALSE(ending_of(json::Object{{"items", 1}})); }

}  // namespace
}  // namespace gantry::cli
