#pragma once

#include "async/race.hpp"

#include <map>
#include <string>

namespace gantry::api::mcp {

/// The tool calls under way that their clients may take back (`notifications/cancelled`). Belongs
/// to the event loop.
class Calls {
 public:
  /// A call, known while this lives. An empty name can not be taken back, nor can a second one of
  /// the same name.
  class Entry {
   public:
    Entry(const async::Executor& executor, Calls& calls, std::string name)
        : calls_{calls}, name_{std::move(name)}, taken_back_{executor} {
      known_ = !name_.empty() && calls_.under_way_.emplace(name_, &taken_back_).second;
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() {
      if (known_) calls_.under_way_.erase(name_);
    }
    async::StopSignal& taken_back() { return taken_back_; }

   private:
    Calls& calls_;
    std::string name_;
    async::StopSignal taken_back_;
    bool known_ = false;
  };

  /// Does nothing when there is no such call (any more).
  void take_back(const std::string& name) {
    auto found = under_way_.find(name);
    if (found != under_way_.end()) found->second->stop();
  }

 private:
  std::map<std::string, async::StopSignal*> under_way_;
};

}  // namespace gantry::api::mcp
