#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "sandbox/executor.hpp"

#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::executions {

/// Who asks. Bounds are counted for both.
struct Caller {
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();
  std::string user;   ///< Their name.
  std::string token;  ///< The id of the API token they came with; empty without one.
  /// What that token may, where that is less than any token may.
  std::size_t running_max = unbounded;
  std::size_t queued_max = unbounded;
  sandbox::Logins logins = sandbox::Logins::stored;  ///< For the images of their programs.
  std::string user_id = {};                          ///< Names can be given anew, ids can not.

  /// To whom executions belong: the user's id, or the name where there are no ids.
  const std::string& account() const { return user_id.empty() ? user : user_id; }
};

/// A program on its way through the admission.
struct Ticket {
  sandbox::ExecutionId id;
  Caller caller;
  Bytes weight;  ///< What it holds in memory while it waits.
};

/// Decides who runs and who waits. At most so many at once, of everybody together, of each user
/// and of each token; users take turns, and of one user's programs the oldest goes first. Holds no
/// programs and does no work: it counts.
class Admission {
 public:
  static constexpr std::size_t unbounded = Caller::unbounded;
  struct Bounds {
    std::size_t running_max = unbounded;
    std::size_t queued_max = unbounded;
  };
  struct Settings {
    Bounds all;
    Bounds user;
    Bounds token;
    Bytes queued_bytes_max;
  };
  enum class Place { running, queued };

  explicit Admission(Settings settings) : settings_{settings} {}

  /// Takes a place for the program, to run at once where that is allowed. Refused, exhausted:
  /// `queue_full`, `user_queue_full`, `token_queue_full`.
  Result<Place> enter(const Ticket& ticket);
  /// Gives a place back that was entered and not used.
  void give_up(const Ticket& ticket, Place place);
  /// Whoever entered a place in the queue stands in line from here on.
  void line_up(Ticket ticket);
  /// As entering the queue and lining up, whatever the bounds say: for what was promised already.
  void restore(Ticket ticket);
  /// Takes it out of the line; false when it does not stand there.
  bool leave(const Ticket& ticket);
  /// Whose turn it is, which has its place to run with that; nothing when nobody may.
  std::optional<Ticket> next();
  /// A place to run has become free after so long.
  void ended(const Ticket& ticket, Microseconds took);

  std::size_t running() const { return all_.running; }
  std::size_t queued() const { return all_.queued; }
  /// When it is worth trying again, by the queue's length and by how long programs ran lately:
  /// 1 s to 60 s.
  Seconds retry_after() const;

 private:
  struct Counts {
    std::size_t running = 0;
    std::size_t queued = 0;
  };
  using Counted = std::map<std::string, Counts, std::less<>>;

  static Counts counts_in(const Counted& counted, const std::string& name);
  bool may_run(const Caller& caller) const;
  Result<> may_wait(const Ticket& ticket) const;
  /// Moves all three counts of a caller.
  void count(const Caller& caller, Place place, int by);
  void count_weight(const Ticket& ticket, Place place, int by);

  Settings settings_;
  Counts all_;
  Counted users_;
  Counted tokens_;
  Bytes waiting_bytes_;
  std::map<std::string, std::deque<Ticket>, std::less<>> lines_;  ///< By user, none empty.
  std::deque<std::string> turns_;                                 ///< The users with a line.
  Microseconds mean_run_{0};
};

}  // namespace gantry::executions
