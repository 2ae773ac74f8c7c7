#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"

#include <map>
#include <string>
#include <string_view>

namespace gantry::fleet {

/// What a ticket opens, and for whom.
struct TicketFor {
  std::string terminal;  ///< Its id.
  std::string user;      ///< The id of who asked for it.
  bool operator==(const TicketFor&) const = default;
};

/// One-time tickets: each opens one WebSocket, for the user and the terminal it was made for. Only
/// hashes are kept. Pure: the time is given.
class TerminalTickets {
 public:
  static constexpr Seconds lifetime{30};
  /// Above it the oldest ones are forgotten.
  static constexpr std::size_t count_max = 1024;

  Secret issue(TicketFor whom, SteadyTime now);
  /// Whether the ticket is one of these and has not run out. It is used up by being asked for, by
  /// whomever: who shows somebody else's has stolen it.
  bool redeem(std::string_view ticket, const TicketFor& whom, SteadyTime now);
  std::size_t size() const { return tickets_.size(); }

 private:
  struct Ticket {
    TicketFor whom;
    SteadyTime ends;
  };

  void prune(SteadyTime now);

  std::map<std::string, Ticket, std::less<>> tickets_;  ///< By SHA-256.
};

}  // namespace gantry::fleet
