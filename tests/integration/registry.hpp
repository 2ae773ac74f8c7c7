#pragma once

#include "async/process.hpp"
#include "engine/images.hpp"
#include "integration/real_engine.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gantry {

/// A test with a registry of its own: Debian's docker-registry on a loopback port, which engines
/// take without TLS. Skipped, visibly, where it is not installed; a failure when CI is set.
class RealRegistry : public RealEngine {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// `127.0.0.1:41234/<name>`
  std::string at_registry(std::string_view name) const;
  /// Sends the engine's image `reference` to the registry it names and takes it out of the engine;
  /// answers its digest, `sha256:…`.
  std::string push(const std::string& reference);
  /// As `push`, with an empty image made for it; answers the image's id.
  std::string push_small_image(const std::string& reference);

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gantry-test-registry-" + random::word(12));
  std::uint16_t port_ = 0;
  std::optional<async::Process> registry_;
};

}  // namespace gantry
