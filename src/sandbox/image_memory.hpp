#pragma once

#include "async/scope.hpp"
#include "base/clock.hpp"
#include "sandbox/images.hpp"

#include <map>
#include <string>

namespace gantry::sandbox {

/// What images were found to be, for two seconds: a run in a waiting container does not ask the
/// engine. An image that was tagged anew may serve for so long. What is used a lot is asked for
/// again before it is too old.
class ImageMemory {
 public:
  ImageMemory(async::Executor executor, Images& images) : images_{images}, tasks_{executor} {}

  /// As Images::resolve.
  async::task<Result<ServedImage>> resolve(std::string reference, Logins logins,
                                           OnProgress progress);
  async::task<void> close() { return tasks_.close(); }

 private:
  struct Known {
    ServedImage image;
    std::string note;  ///< The last that was said of it; told again where another image serves.
    SteadyTime asked_at;
    bool asking = false;
  };
  async::task<Result<ServedImage>> ask(std::string reference, Logins logins, OnProgress progress);
  async::task<void> renew(std::string reference, Logins logins);

  Images& images_;
  std::map<std::string, Known> known_;
  async::TaskScope tasks_;
};

}  // namespace gantry::sandbox
