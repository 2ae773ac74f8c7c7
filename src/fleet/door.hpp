#pragma once

#include "base/error.hpp"
#include "net/stream.hpp"

#include <memory>
#include <optional>

namespace gantry::fleet {

/// A dialler that only refuses.
net::Connect refusing(Error why);

/// The one way to a host: dials, remembers what is open, and can end all of it at once. So a host
/// that is removed, disabled or reached another way ends its streams, whoever reads them.
class Door {
 public:
  explicit Door(net::Connect dial);

  /// For clients; may outlive the Door. Once shut it throws what `shut` was given.
  net::Connect connect() const;
  /// Closes every open stream and refuses new ones.
  void shut(Error why);
  /// What `shut` was given; nothing while it is open.
  const std::optional<Error>& why_shut() const;
  /// How many streams are open.
  std::size_t open() const;

 private:
  struct State;
  class Watched;
  static async::task<std::unique_ptr<net::Stream>> enter(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // of the Door, its streams and its connect functions
};

}  // namespace gantry::fleet
