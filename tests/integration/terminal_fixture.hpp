#pragma once

#include "async/workers.hpp"
#include "engine/exec_run.hpp"
#include "fleet/terminals.hpp"
#include "integration/real_engine.hpp"
#include "storage/testing_fake.hpp"

#include <memory>
#include <string>

namespace gantry {

/// Terminals on a real engine, with everything below them real.
class TerminalFixture : public RealEngine {
 protected:
  enum class Recorded { no, yes };

  void SetUp() override;
  void TearDown() override;
  /// Terminals with other bounds than usual, in the place of those that are there.
  void use(fleet::TerminalSettings settings, fleet::Recordings::Settings recordings = {},
           Recorded recorded = Recorded::no);
  /// A container that sleeps, started.
  std::string container() { return started(sleeper()); }
  fleet::TerminalWish wish(std::string container) const;
  fleet::TerminalView open(fleet::TerminalWish wish);
  std::unique_ptr<fleet::TerminalViewer> join(
      const std::string& id, fleet::TerminalViewer::May may = fleet::TerminalViewer::May::type);
  void type(fleet::TerminalViewer& viewer, std::string bytes) {
    run(viewer.type(std::move(bytes)));
  }
  /// Everything a viewer is shown until `until` is in it; throws when that does not come.
  std::string shown(fleet::TerminalViewer& viewer, std::string until);
  fleet::TerminalEnd ended(fleet::TerminalViewer& viewer);
  /// Waits until the viewer has been cut, without taking anything.
  void until_cut(const fleet::TerminalViewer& viewer);
  /// Waits until the terminal can not be found any more.
  void until_gone(const std::string& id);
  /// What runs in the container, as its own ps tells.
  std::string processes(const std::string& container);
  std::string output_of(const std::string& container, std::vector<std::string> command);
  /// Every row of the audit log: `terminal.open begun`.
  std::vector<std::string> audit();

  storage::TemporaryFolder folder_;
  async::Workers workers_{1, 64};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<fleet::Operations> operations_;
  std::shared_ptr<fleet::Host> host_;
  std::unique_ptr<fleet::Recordings> recordings_;
  std::unique_ptr<fleet::Terminals> terminals_;

 private:
  void finish();
};

}  // namespace gantry
