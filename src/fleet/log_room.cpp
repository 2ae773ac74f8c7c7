#include "fleet/log_room.hpp"

#include <fmt/format.h>

namespace gantry::fleet {

Result<LogRoom::Place> LogRoom::take(const std::string& host, std::size_t sources) {
  if (sources > settings_.sources_max) {
    return fail(ErrorKind::conflict, "too_many_logs",
                fmt::format("cannot read the logs of {} containers on host '{}' as one: at most "
                            "{} can be",
                            sources, host, settings_.sources_max),
                "name one of the services, or read the containers one by one");
  }
  auto there = by_host_.find(host);
  auto of_host = there == by_host_.end() ? 0 : there->second;
  if (of_host + sources > settings_.of_host_max || all_ + sources > settings_.all_max) {
    return fail(ErrorKind::exhausted, "logs_busy",
                fmt::format("cannot read the logs of {} containers on host '{}' now: too many are "
                            "being read",
                            sources, host),
                "try again when others have read theirs, or name one of the services");
  }
  by_host_[host] = of_host + sources;
  all_ += sources;
  return Place{*this, host, sources};
}

void LogRoom::leave(const std::string& host, std::size_t sources) {
  auto there = by_host_.find(host);
  there->second -= sources;
  if (there->second == 0) by_host_.erase(there);
  all_ -= sources;
}

}  // namespace gantry::fleet
