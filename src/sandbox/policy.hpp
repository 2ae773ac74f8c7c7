#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gantry::sandbox {

/// What becomes of a program that writes more than allowed.
enum class OnOutputCap {
  truncate,  ///< It runs on; what is too much is dropped, and the outcome says so.
  end,       ///< It is ended with `output_exceeded`.
};

/// What a program can reach.
enum class Network {
  none,      ///< Its own loopback.
  outbound,  ///< The outside; not the host, private ranges, the metadata address, other sandboxes.
  full,      ///< What any container of the engine's bridge network reaches.
};

/// What a program can write to. Its root is read-only always.
enum class Filesystem {
  sandbox,    ///< /box, which is empty at the start and gone at the end.
  temp,       ///< /tmp as well.
  workspace,  ///< As `temp`, and /box/workspace is kept under a name from one to the next.
};

/// The OCI runtime: `runsc` is gVisor, where the engine has it.
enum class Runtime { runc, runsc };

/// The limits a program runs under. Every value lies within its Bound.
struct Policy {
  Milliseconds wall_time{10'000};
  Milliseconds cpu_time{10'000};  ///< Of all its processes together.
  Bytes memory{256U << 20U};      ///< Swap included; what is in the tmpfs counts too.
  double cpus = 1.0;
  int pids = 64;            ///< Processes and threads.
  Bytes output{1U << 20U};  ///< Of standard output and of standard error, each.
  OnOutputCap on_output_cap = OnOutputCap::truncate;
  Bytes file{64U << 20U};   ///< The largest file it may write.
  Bytes tmpfs{64U << 20U};  ///< /box and /tmp, each.
  Network network = Network::none;
  Filesystem filesystem = Filesystem::temp;
  std::string workspace;  ///< Its name, with Filesystem::workspace.
  Runtime runtime = Runtime::runc;
};

/// The words of the API, in the order of the types.
inline constexpr std::array<std::string_view, 2> on_output_cap_words{"truncate", "end"};
inline constexpr std::array<std::string_view, 3> network_words{"none", "outbound", "full"};
inline constexpr std::array<std::string_view, 3> filesystem_words{"sandbox", "temp", "workspace"};
inline constexpr std::array<std::string_view, 2> runtime_words{"runc", "runsc"};

inline std::string_view word(OnOutputCap what) {
  return on_output_cap_words.at(static_cast<std::size_t>(what));
}
inline std::string_view word(Network network) {
  return network_words.at(static_cast<std::size_t>(network));
}
inline std::string_view word(Filesystem filesystem) {
  return filesystem_words.at(static_cast<std::size_t>(filesystem));
}
inline std::string_view word(Runtime runtime) {
  return runtime_words.at(static_cast<std::size_t>(runtime));
}

/// The least, the most and the usual value of one limit, as the API names it.
struct Bound {
  std::string_view field;
  double min;
  double max;
  double usual;
};
/// Of the limits that are numbers, as shipped: a server may have others (PolicyBounds).
std::span<const Bound> bounds();

/// Reads the `limits` object of a request within the bounds as shipped: PolicyBounds::read.
Result<Policy> read_policy(const json::Value& value);

}  // namespace gantry::sandbox
