#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/facts.hpp"
#include "net/endpoint.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::engine {
class Client;
}

/// The doctor on machines that are not this one.
namespace gantry::doctor {

/// Runs a text by `sh` on the machine in question and answers what it printed.
using Runner = std::function<async::task<Result<std::string>>(std::string script)>;

/// The code of an engine's error where nobody asked it.
inline constexpr std::string_view engine_not_asked = "engine_not_asked";
/// The code of `away` where nobody knows yet whether there is a way.
inline constexpr std::string_view way_is_made = "ssh_connecting";

/// Looks at the machine of an ssh endpoint: one text that only reads is run there, as the user who
/// logs in, and `engine` is asked unless it is null (the engine's checks are then skipped). Where
/// nothing may be run there, or what it printed can not be read, the engine's word alone is taken
/// (Sight::engine, with the reason in `unseen`). Refused: without an engine, why nothing was seen.
/// What `run` and `engine` borrow must outlive it.
/// `away` is why there is no way to the engine at the moment: it is then asked last, with the time
/// that is left, and where it stays silent that is told, and not that it took too long.
async::task<Result<Facts>> gather_far(Runner run, engine::Client* engine, net::Endpoint endpoint,
                                      Clock clock, std::optional<Error> away = {});

/// Asks the engine of a machine whose files are out of sight. An engine that does not answer is a
/// fact, too.
async::task<Facts> gather_engine_only(engine::Client& engine, net::Endpoint endpoint, Clock clock);

}  // namespace gantry::doctor
