#pragma once

#include "async/descriptor.hpp"
#include "async/event.hpp"
#include "async/process.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "net/local_pair.hpp"
#include "nursery/birth.h"
#include "sandbox/local_root.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gantry::sandbox {

using BirthDescriptors = std::vector<std::pair<BirthRole, async::Descriptor>>;

/// A process that has become gantry-init in namespaces of its own, or is about to.
struct Newborn {
  std::unique_ptr<net::Stream> stream;  ///< Speaks the frames of gantry-init.
  async::Descriptor process;            ///< A pidfd.
  /// Its nursery, which ends when it was replaced and the last of its children has gone.
  std::shared_ptr<void> home;
};

/// The process that bears sandboxes (src/nursery), in the local executor's root. Started when it
/// is first needed and again when it has gone. Not for two servers.
class LocalNursery {
 public:
  struct Settings {
    Interpreter interpreter = Interpreter::none;
    Privilege privilege = Privilege::root;
    std::string filter;  ///< seccomp_filter
    /// After so many births another one takes its place: its children share its memory layout and
    /// an interpreter's hash seed.
    int births_max = 1000;
  };
  LocalNursery(async::Executor executor, Settings settings);

  /// A process nobody used before, put into `newborn`: also when the caller was cancelled after its
  /// turn had come. `birth` needs no packet and no descriptors: they come from `descriptors`.
  /// Refused: unavailable (`no_nursery`, `not_born`), with bubblewrap's own words; timed_out when
  /// the one before it takes longer than 30 s.
  async::task<Result<>> bear(Birth birth, BirthDescriptors descriptors, Newborn& newborn);
  /// Ends it, and everything it has born with it.
  void stop();
  const Settings& settings() const { return settings_; }

 private:
  struct Alive {
    async::Process process;
    net::PacketSocket socket;
    int births = 0;
  };
  async::task<Result<>> start();
  async::task<Result<>> bear_alone(Birth birth, BirthDescriptors descriptors, Newborn& newborn);
  /// Gives the turn to the next when it is destroyed.
  struct Turn;

  async::Executor executor_;
  Settings settings_;
  std::shared_ptr<Alive> alive_;  ///< Shared with its children, as their home.
  bool busy_ = false;
  async::Event idle_;
};

}  // namespace gantry::sandbox
