#include "sandbox/overrun.hpp"

#include "integration/executor_conformance.hpp"

// Programs that leave gantry-init no processor to end them with.
namespace gantry::sandbox {
namespace {

class AnOverrun : public AnExecutor {};

INSTANTIATE_TEST_SUITE_P(Executors, AnOverrun,
                         testing::Values(Subject{Subject::Kind::docker, "Docker", {}},
                                         Subject{Subject::Kind::local, "Local", {.images = false}}),
                         [](const auto& subject) { return std::string{subject.param.name}; });

TEST_P(AnOverrun, SixtyProcessesOnATenthOfAProcessorEndInTime) {
  Policy policy;
  policy.cpus = 0.1;
  policy.wall_time = Milliseconds{1'000};
  auto outcome =
      execute(sh("for i in $(seq 59); do while :; do :; done & done; while :; do :; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::timed_out) << outcome.message;
  EXPECT_LT(outcome.wall_time, policy.wall_time + Overrun::patience + Milliseconds{4'000});
}

TEST_P(AnOverrun, WhoIsInTimeIsNotGivenMore) {
  Policy policy;
  policy.cpus = 0.1;
  policy.wall_time = Milliseconds{2'000};
  auto outcome = execute(sh("while :; do :; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::timed_out);
  EXPECT_LT(outcome.cpu_time, Milliseconds{500});
}

}  // namespace
}  // namespace gantry::sandbox
