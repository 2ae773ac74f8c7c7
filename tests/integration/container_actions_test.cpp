#include "integration/container_actions.hpp"

#include "access/audit_store.hpp"
#include "integration/real_engine.hpp"
#include "net/stream.hpp"
#include "storage/database.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <cstdlib>

namespace gantry {
namespace {

class ContainerActionsOnAnEngine : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (!usable()) return;
    database_ = run(storage::open({}, folder_.path() / "data"));
    run(access::audit::migrate(*database_));
    operations_.emplace(executor(), *database_, fleet::Operations::Settings{});
    std::string endpoint = std::getenv("GANTRY_TEST_ENGINE");
    auto parsed = value_or_throw(net::Endpoint::parse(endpoint));
    host_ = host_over(loop_, endpoint, net::dialer(executor(), parsed));
  }
  void TearDown() override {
    if (operations_) run(operations_->close());
    host_.reset();
    RealEngine::TearDown();
  }
  ActionStage stage() {
    return {.loop = loop_,
            .host = host_,
            .operations = *operations_,
            .image = image,
            .labels = {{"gantry.test", mark_}}};
  }

  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
  std::optional<fleet::Operations> operations_;
  std::shared_ptr<fleet::Host> host_;
};

TEST_F(ContainerActionsOnAnEngine, EachDoesWhatItSays) {
  auto where = stage();
  for (const auto& action : container_action_cases()) {
    SCOPED_TRACE(action.name);
    action.run(where);
  }
}

}  // namespace
}  // namespace gantry
