// The program that shows whether the sandbox holds, on a real engine.
#include "sandbox/canary.hpp"

#include "engine/containers.hpp"
#include "integration/real_engine.hpp"
#include "sandbox/labels.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using testing::Contains;
using testing::IsEmpty;

class TheCanary : public RealEngine {
 protected:
  /// Everything on the engine that a run could leave; others may be at work there, too.
  std::set<std::string> things() {
    std::set<std::string> names;
    for (const auto& one : must(engine::list_containers(engine(), engine::ListScope::all, {}))) {
      auto owner = one.labels.find(labels::owner);
      bool ours = owner != one.labels.end() && owner->second.starts_with("doctor-");
      if (ours) names.insert("container " + one.id);
    }
    for (const auto& one : must(engine::list_volumes(engine(), {}))) {
      if (one.name.starts_with("gantry-init-")) names.insert("volume " + one.name);
    }
    return names;
  }
};

TEST_F(TheCanary, IsHeldAndLeavesNothing) {
  auto before = things();
  auto report = must(run_canary(executor(), engine()));
  EXPECT_EQ(report.image, image);
  EXPECT_THAT(report.open, IsEmpty());
  EXPECT_THAT(report.held, Contains("the limit of memory"));
  EXPECT_THAT(report.held, Contains("the limit of processes"));
  EXPECT_THAT(report.languages, Contains("bash"));
  EXPECT_EQ(things(), before);
}

}  // namespace
}  // namespace gantry::sandbox
