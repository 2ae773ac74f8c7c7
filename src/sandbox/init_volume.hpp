#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <string>
#include <string_view>

namespace gantry::sandbox {

/// How the containers that fill the volume are called.
inline constexpr std::string_view filler_name_begin = "gantry-init-fill-";

/// The named volume that carries gantry-init and the waiters of interpreters into every sandbox: it
/// works on remote engines and with images that have no shell. Named after the files' hash, filled
/// once per engine through a container that is never started, and read back before it is trusted.
class InitVolume {
 public:
  InitVolume(async::Executor executor, engine::Client& engine, std::string owner);

  /// The volume's name, once its content is what we put there. `image_id` is any image the engine
  /// has: a container needs one even when it never runs.
  async::task<Result<std::string>> ensure(std::string image_id);
  /// It was found missing: fill it again at the next `ensure`.
  void distrust() { verified_ = false; }
  /// Whether a container of ours is at it now.
  bool filling() const { return filling_; }
  const std::string& name() const { return name_; }

 private:
  async::task<Result<>> fill(std::string image_id);
  async::task<Result<>> fill_through(std::string container);

  engine::Client& engine_;
  std::string owner_;
  std::string name_;
  bool verified_ = false;
  bool filling_ = false;
  async::Event changed_;
};

}  // namespace gantry::sandbox
