#pragma once

#include "async/task.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_tunnel.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::net {

struct SshCurrent;

/// How much a text that is run there may print.
inline constexpr std::size_t ssh_output_max = 64U << 10U;

/// What `SshTunnel::run` does. Borrows everything. Throws Failure.
async::task<std::string> run_ssh_script(const Endpoint& endpoint, const SshSettings& settings,
                                        const SshPlaces& places, SshPace pace, std::string script);

/// The same on a way that has been found.
async::task<std::string> run_ssh_script(SshCurrent& current, std::string script);

/// Whether `error` says of a machine that let us in that it does not run our text to its end.
bool is_of_ssh_script(const Error& error);

/// What is sent to the far `sh`: `script` between two marks that nobody can print by repeating
/// what he has read.
std::string marked_ssh_script(std::string_view script, std::string_view nonce);
/// What was printed between the marks; nothing where one of them is missing.
struct SshPrinted {
  bool began = false;
  std::optional<std::string> whole;
};
SshPrinted printed_by_ssh_script(std::string_view said, std::string_view nonce);

}  // namespace gantry::net
