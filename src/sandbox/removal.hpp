#pragma once

#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "engine/client.hpp"
#include "sandbox/slots.hpp"

#include <deque>
#include <memory>
#include <set>
#include <string>

namespace gantry::sandbox {

/// A container of ours and what it holds, from its creation to its removal.
struct Lease {
  int user_id = 0;
  std::string container;  ///< Empty until it is created.
  std::string label;      ///< What the sweep knows it by.
};

/// Whether a container ends by itself or has to be killed first.
enum class Ending { by_itself, killed };

/// Waits for the container's end before it asks for its removal: an engine that is told to remove
/// what is just exiting sometimes keeps a ghost of it, listed for ever and found by nobody
/// (docs/adr/0016).
async::task<Result<>> end_and_remove(engine::Client& engine, std::string container, Ending ending);

/// The sandboxes that this server answers for, and their removal, which nobody waits for when the
/// program has ended by itself. A lease's user id is free again, and its label forgotten, only once
/// its container is gone.
class Removal {
 public:
  Removal(async::Executor executor, engine::Client& engine)
      : engine_{engine}, changed_{executor}, tasks_{executor} {}

  /// An id nobody uses, with a label that the sweep knows from now on; nothing when all are taken.
  std::optional<Lease> lease(std::string label);
  /// It was never created.
  void give_back(const Lease& lease);
  /// Whether a container with this label is somebody's: in use, waiting, or being removed.
  bool knows(const std::string& label) const { return labels_.contains(label); }

  /// Removes it in a while: a few at once, so that removing does not starve what runs. `talk` is
  /// the stream to a gantry-init, which stays until that is closed.
  void later(Lease lease, Ending ending, std::shared_ptr<void> talk = {});
  /// Removes it before it answers.
  async::task<void> now(Lease lease, Ending ending);
  /// Waits while too many are still to be removed: who makes containers shall not outrun this.
  async::task<void> room();
  /// Waits until nothing is left to remove.
  async::task<void> settled();
  /// As `settled`, in so much time; then it stops, and the next server's sweep finds the rest.
  async::task<void> close(Milliseconds grace);

 private:
  struct Item {
    Lease lease;
    Ending ending;
    std::shared_ptr<void> talk;
  };
  void pump();
  async::task<void> remove(Item item);

  engine::Client& engine_;
  Slots slots_;
  std::set<std::string> labels_;
  std::deque<Item> waiting_;
  std::size_t removing_ = 0;
  async::Event changed_;
  async::TaskScope tasks_;
};

}  // namespace gantry::sandbox
