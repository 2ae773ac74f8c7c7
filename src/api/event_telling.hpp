#pragma once

#include "api/call.hpp"
#include "base/json.hpp"
#include "fleet/events.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What happens on the hosts, for those who follow it by server-sent events or by the live channel.
namespace gantry::api {

/// What somebody wants to be told of; an empty list: everything.
struct EventFilter {
  std::vector<std::string> hosts;
  std::vector<std::string> types;
  std::vector<std::string> actions;
};

/// Tells one follower, as far as their rights go at each telling. Keeps where they are.
class EventTelling {
 public:
  struct Told {
    std::uint64_t number;
    std::string_view name;  ///< `event` or `gap`
    json::Object data;
  };

  /// Begins behind `number`.
  EventTelling(Call& call, EventFilter filter, std::uint64_t number);

  /// The next few; none when there is nothing to tell now. Takes a millisecond at most.
  std::vector<Told> next();
  /// Whether something has come since the last `next`, be it theirs or not.
  bool behind() const { return number_ < log_.last(); }
  std::uint64_t number() const { return number_; }

 private:
  /// A host as it is now, and whether they may see it at all.
  struct Standing;

  Standing standing(const access::Rights& rights, const fleet::HostId& host) const;
  bool wanted(const fleet::HostEvent& event, const Standing& host) const;
  void tell_gaps(const fleet::EventLog::Page& page, const access::Rights& rights,
                 std::vector<Told>& told) const;

  Call& call_;
  const fleet::EventLog& log_;
  EventFilter filter_;
  std::uint64_t number_;
};

/// A gap over all hosts: `reason` says why it is not known what was missed.
json::Object gap_json(std::string_view reason);

}  // namespace gantry::api
