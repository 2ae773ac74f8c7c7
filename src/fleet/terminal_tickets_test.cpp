#include "fleet/terminal_tickets.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

const TicketFor ada{"terminal-1", "ada"};
const SteadyTime now{};

TEST(TerminalTickets, OneOpensOnce) {
  TerminalTickets tickets;
  auto ticket = tickets.issue(ada, now);
  EXPECT_TRUE(tickets.redeem(ticket.reveal(), ada, now));
  EXPECT_FALSE(tickets.redeem(ticket.reveal(), ada, now));
}

TEST(TerminalTickets, OneOpensNothingForSomebodyElseAndIsUsedUpByIt) {
  TerminalTickets tickets;
  auto ticket = tickets.issue(ada, now);
  EXPECT_FALSE(tickets.redeem(ticket.reveal(), {"terminal-1", "bob"}, now));
  EXPECT_FALSE(tickets.redeem(ticket.reveal(), ada, now));
}

TEST(TerminalTickets, OneOpensNoOtherTerminal) {
  TerminalTickets tickets;
  auto ticket = tickets.issue(ada, now);
  EXPECT_FALSE(tickets.redeem(ticket.reveal(), {"terminal-2", "ada"}, now));
}

TEST(TerminalTickets, OneRunsOut) {
  TerminalTickets tickets;
  auto early = tickets.issue(ada, now);
  auto late = tickets.issue(ada, now);
  EXPECT_TRUE(tickets.redeem(early.reveal(), ada, now + Seconds{29}));
  EXPECT_FALSE(tickets.redeem(late.reveal(), ada, now + Seconds{30}));
}

TEST(TerminalTickets, AWordNobodyIssuedOpensNothing) {
  TerminalTickets tickets;
  tickets.issue(ada, now);
  EXPECT_FALSE(tickets.redeem("", ada, now));
  EXPECT_FALSE(tickets.redeem("0123456789", ada, now));
}

TEST(TerminalTickets, NotEndlesslyManyAreKept) {
  TerminalTickets tickets;
  auto first = tickets.issue(ada, now);
  for (std::size_t i = 0; i < TerminalTickets::count_max; ++i) {
    tickets.issue(ada, now + Seconds{1});
  }
  EXPECT_EQ(tickets.size(), TerminalTickets::count_max);
  EXPECT_FALSE(tickets.redeem(first.reveal(), ada, now + Seconds{1}));
}

}  // namespace
}  // namespace gantry::fleet
