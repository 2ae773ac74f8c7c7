#pragma once

#include "executions/executions.hpp"
#include "sandbox/images.hpp"
#include "sandbox/pool.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::api {

/// What a script without an image runs in.
inline constexpr std::string_view default_image = "alpine:latest";

/// The answer of `POST /execute` to a finished execution: the origin's six fields. Bytes that are
/// not UTF-8 become U+FFFD. `message`: what of the outcome's is for who asks (told_message).
std::string execute_result(const executions::Record& record, const std::string& message);
/// The same for what could not be run at all: `exit_code` -1, still a 200.
std::string execute_failure(std::string_view reason);

/// The containers of one image that wait for programs.
struct ImagePool {
  std::size_t wanted = 0;
  std::size_t ready = 0;
  std::uint64_t hits = 0;    ///< Programs that found one,
  std::uint64_t misses = 0;  ///< and that did not.
};
using ImagePools = std::map<std::string, ImagePool, std::less<>>;
/// The pools by image; the one of the image that serves for `default_image` has that name, those
/// whose image the caller may not know are `other`.
ImagePools pools_by_image(const std::vector<sandbox::PoolView>& pools,
                          const sandbox::ImageAliases& aliases);

/// The counters as the origin's `GET /metrics` has them.
std::string metrics_json(const executions::Counters& counters, const ImagePools& pools);
/// Whether an Accept header asks for Prometheus' text.
bool wants_text(std::string_view accept);

}  // namespace gantry::api
