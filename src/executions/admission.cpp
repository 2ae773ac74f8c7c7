#include "executions/admission.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

// How much of the mean the newest run makes: a sixteenth.
constexpr int mean_weight = 16;
// A refused caller comes back when an eighth of the queue may have gone.
constexpr std::size_t queue_share = 8;
constexpr Seconds retry_max{60};

std::unexpected<Error> full(std::string code, std::string cause) {
  return fail(ErrorKind::exhausted, std::move(code),
              fmt::format("cannot take the program: {}", cause),
              "try again after the time that Retry-After tells");
}

}  // namespace

Admission::Counts Admission::counts_in(const Counted& counted, const std::string& name) {
  auto found = counted.find(name);
  return found == counted.end() ? Counts{} : found->second;
}

bool Admission::may_run(const Caller& caller) const {
  return all_.running < settings_.all.running_max &&
         counts_in(users_, caller.user).running < settings_.user.running_max &&
         (caller.token.empty() || counts_in(tokens_, caller.token).running <
                                      std::min(settings_.token.running_max, caller.running_max));
}

Result<> Admission::may_wait(const Ticket& ticket) const {
  const auto& caller = ticket.caller;
  if (all_.queued >= settings_.all.queued_max) {
    return full("queue_full", fmt::format("{} programs are waiting already", all_.queued));
  }
  if (waiting_bytes_ + ticket.weight > settings_.queued_bytes_max) {
    return full("queue_full",
                fmt::format("those that wait hold {} bytes already", waiting_bytes_.count));
  }
  if (counts_in(users_, caller.user).queued >= settings_.user.queued_max) {
    return full("user_queue_full", fmt::format("of the programs of '{}' no more than {} may wait",
                                               caller.user, settings_.user.queued_max));
  }
  auto queued_max = std::min(settings_.token.queued_max, caller.queued_max);
  if (!caller.token.empty() && counts_in(tokens_, caller.token).queued >= queued_max) {
    return full("token_queue_full",
                fmt::format("of the programs of this token no more than {} may wait", queued_max));
  }
  return ok;
}

void Admission::count(const Caller& caller, Place place, int by) {
  auto move = [&](Counts& counts) {
    auto& number = place == Place::running ? counts.running : counts.queued;
    number = by > 0 ? number + 1 : number - 1;
  };
  auto move_named = [&](Counted& counted, const std::string& name) {
    auto& counts = counted[name];
    move(counts);
    if (counts.running == 0 && counts.queued == 0) counted.erase(name);
  };
  move(all_);
  move_named(users_, caller.user);
  if (!caller.token.empty()) move_named(tokens_, caller.token);
}

void Admission::count_weight(const Ticket& ticket, Place place, int by) {
  count(ticket.caller, place, by);
  if (place == Place::running) return;
  waiting_bytes_.count = by > 0 ? waiting_bytes_.count + ticket.weight.count
                                : waiting_bytes_.count - ticket.weight.count;
}

Result<Admission::Place> Admission::enter(const Ticket& ticket) {
  auto place = may_run(ticket.caller) ? Place::running : Place::queued;
  if (place == Place::queued) {
    if (auto may = may_wait(ticket); !may) return fail(may.error());
  }
  count_weight(ticket, place, 1);
  return place;
}

void Admission::give_up(const Ticket& ticket, Place place) { count_weight(ticket, place, -1); }

void Admission::line_up(Ticket ticket) {
  auto& line = lines_[ticket.caller.user];
  if (line.empty()) turns_.push_back(ticket.caller.user);
  line.push_back(std::move(ticket));
}

void Admission::restore(Ticket ticket) {
  count_weight(ticket, Place::queued, 1);
  line_up(std::move(ticket));
}

bool Admission::leave(const Ticket& ticket) {
  auto line = lines_.find(ticket.caller.user);
  if (line == lines_.end()) return false;
  auto waiting = std::ranges::find(line->second, ticket.id, &Ticket::id);
  if (waiting == line->second.end()) return false;
  count_weight(ticket, Place::queued, -1);
  line->second.erase(waiting);
  if (line->second.empty()) {
    std::erase(turns_, line->first);
    lines_.erase(line);
  }
  return true;
}

std::optional<Ticket> Admission::next() {
  for (std::size_t turn = 0; turn < turns_.size(); ++turn) {
    auto user = turns_[turn];
    auto& line = lines_[user];
    auto chosen = std::ranges::find_if(line, [&](const Ticket& t) { return may_run(t.caller); });
    if (chosen == line.end()) continue;
    auto ticket = *chosen;
    leave(ticket);
    count(ticket.caller, Place::running, 1);
    // Who has had a turn goes behind the others.
    if (std::erase(turns_, user) > 0) turns_.push_back(user);
    return ticket;
  }
  return std::nullopt;
}

void Admission::ended(const Ticket& ticket, Microseconds took) {
  count(ticket.caller, Place::running, -1);
  mean_run_ = mean_run_.count() == 0 ? took : mean_run_ + (took - mean_run_) / mean_weight;
}

Seconds Admission::retry_after() const {
  auto places = static_cast<double>(std::max<std::size_t>(1, settings_.all.running_max));
  auto before = static_cast<double>(std::max<std::size_t>(1, all_.queued / queue_share));
  auto seconds = static_cast<double>(mean_run_.count()) / 1e6 / places * before;
  return std::clamp(Seconds{static_cast<long>(seconds) + 1}, Seconds{1}, retry_max);
}

}  // namespace gantry::executions
