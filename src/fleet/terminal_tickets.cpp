#include "fleet/terminal_tickets.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"

#include <algorithm>
#include <utility>

namespace gantry::fleet {
namespace {

/// 206 bits.
constexpr std::size_t ticket_length = 40;

}  // namespace

void TerminalTickets::prune(SteadyTime now) {
  std::erase_if(tickets_, [&](const auto& entry) { return entry.second.ends <= now; });
  while (tickets_.size() >= count_max) {
    tickets_.erase(std::ranges::min_element(tickets_, {},
                                            [](const auto& entry) { return entry.second.ends; }));
  }
}

Secret TerminalTickets::issue(TicketFor whom, SteadyTime now) {
  prune(now);
  auto text = random::word(ticket_length);
  tickets_.emplace(encoding::sha256_hex(text), Ticket{std::move(whom), now + lifetime});
  return Secret{std::move(text)};
}

bool TerminalTickets::redeem(std::string_view ticket, const TicketFor& whom, SteadyTime now) {
  auto found = tickets_.find(encoding::sha256_hex(ticket));
  if (found == tickets_.end()) return false;
  auto known = std::move(found->second);
  tickets_.erase(found);
  return known.whom == whom && now < known.ends;
}

}  // namespace gantry::fleet
