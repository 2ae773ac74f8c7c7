#include "sandbox/seccomp_filter.hpp"

#include "sandbox/embedded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

TEST(SeccompFilter, OfOurProfileIsWholeInstructionsAndFewEnoughForTheKernel) {
  auto filter = seccomp_filter(embedded::seccomp_profile());
  ASSERT_TRUE(filter) << filter.error().sentence();
  EXPECT_EQ(filter->size() % 8, 0U);
  EXPECT_GT(filter->size(), 100U * 8);
  EXPECT_LT(filter->size(), 4096U * 8);
}

TEST(SeccompFilter, RefusesWhatItDoesNotUnderstandInsteadOfLeavingItOut) {
  constexpr auto* with_trace = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["read"], "action": "SCMP_ACT_TRACE"}]})";
  EXPECT_FALSE(seccomp_filter(with_trace));
  constexpr auto* with_other_check = R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["read"], "action": "SCMP_ACT_ALLOW",
       "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GT"}]}]})";
  EXPECT_FALSE(seccomp_filter(with_other_check));
  EXPECT_FALSE(seccomp_filter("{}"));
}

}  // namespace
}  // namespace gantry::sandbox
