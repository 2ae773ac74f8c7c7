#include "cli/exit_codes.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

constexpr int last_of_report = 2;

Error refusal(ErrorKind kind, std::string code = "some_code") {
  return {kind, std::move(code), "cannot do it", {}};
}

TEST(ExitCodes, ACommandLineThatIsNotUnderstoodHasItsOwn) {
  EXPECT_EQ(exit_code_of(refusal(ErrorKind::invalid, "bad_usage")), exit_usage);
  EXPECT_EQ(exit_code_of_usage(refusal(ErrorKind::invalid, "bad_setting")), exit_usage);
  EXPECT_EQ(exit_code_of_usage(refusal(ErrorKind::not_found)),
            exit_code_of(refusal(ErrorKind::not_found)));
}

TEST(ExitCodes, ARequestThatIsNotUnderstoodEndsOtherwise) {
  EXPECT_EQ(exit_code_of(refusal(ErrorKind::invalid, "bad_name")), 2);
  EXPECT_EQ(exit_code_of(refusal(ErrorKind::unavailable)), 6);
}

TEST(ExitCodes, NothingThatKeepsAReportAwayEndsAsAReport) {
  for (auto kind : {ErrorKind::invalid, ErrorKind::too_large, ErrorKind::internal,
                    ErrorKind::not_found, ErrorKind::timed_out}) {
    EXPECT_GT(exit_code_of(without_report(refusal(kind))), last_of_report) << traits(kind).word;
  }
  EXPECT_EQ(without_report(refusal(ErrorKind::denied)), refusal(ErrorKind::denied));
  EXPECT_EQ(exit_code_of(without_report(refusal(ErrorKind::invalid, "bad_usage"))), exit_usage);
}

}  // namespace
}  // namespace gantry::cli
