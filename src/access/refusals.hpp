#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace gantry::access {

/// Which refused sign-ins are written to the audit log, where nothing is ever removed: strangers
/// must not fill a disk with them. In ten minutes the 1st, 10th, 100th … of the same name, address
/// and outcome are, of the first 200 such; of all others together the 1st, 10th, 100th …
class Refusals {
 public:
  /// What the log is to say.
  struct Told {
    std::uint64_t count = 1;  ///< How many of them there were by now.
    /// It is about all that are not told by themselves.
    enum class About { itself, others } about = About::itself;
  };
  /// Nothing when there is nothing to write.
  std::optional<Told> note(const std::string& name, const std::string& address,
                           const std::string& outcome, WallTime now);

 private:
  WallTime begun_{};
  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::uint64_t others_ = 0;
};

}  // namespace gantry::access
