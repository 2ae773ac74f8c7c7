#pragma once

#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "sandbox/images.hpp"
#include "storage/database.hpp"

#include <map>
#include <string>
#include <vector>

namespace gantry::executions {

/// An image that the sandbox brought to the engine, by its familiar name.
struct KeptImage {
  std::string reference;
  WallTime pulled_at;
  WallTime used_at;
};

/// Knows which images are on the engine only because programs asked for them, and removes those
/// that no program has asked for in a long time. What anybody else pulled, made or tagged, and what
/// a container uses, is left alone. Must be closed before it is destroyed.
class ImageKeeper {
 public:
  struct Settings {
    Seconds unused_max{30 * 24 * 3600};  ///< How long an image stays that nobody asks for.
    Clock clock;
  };

  ImageKeeper(async::Executor executor, storage::Database& database, engine::Client& engine,
              Settings settings);

  async::task<void> start();
  async::task<void> close() { return tasks_.close(); }

  /// What Images tells (sandbox::OnImageUse).
  void note(const std::string& reference, sandbox::ImageUse use);
  /// Removes what nobody has asked for, now and every hour; runs until cancelled.
  async::task<void> maintain();
  /// Answers how many images were removed.
  async::task<Result<int>> collect();
  const std::map<std::string, KeptImage>& images() const { return images_; }

 private:
  async::task<void> store(KeptImage image);
  async::task<void> forget(std::string reference);
  async::task<Result<bool>> remove_unless_used(std::string reference);

  storage::Database& database_;
  engine::Client& engine_;
  Settings settings_;
  std::map<std::string, KeptImage> images_;
  async::TaskScope tasks_;
};

}  // namespace gantry::executions
