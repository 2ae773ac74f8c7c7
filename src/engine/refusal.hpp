#pragma once

#include "base/error.hpp"
#include "engine/client.hpp"

#include <string_view>

namespace gantry::engine {

/// What a daemon's answer of `status` means: its own words (`{"message": …}`, else the text; one
/// line, at most 500 bytes), with a kind by the status and a remedy where one is known.
Error refusal(const Doing& doing, unsigned status, std::string_view body);
/// As `refusal`, for words that came without a status of their own (inside a pull's stream).
Error refusal_in_words(const Doing& doing, std::string_view words);

/// Whether the engine refused the API version, and nothing of the request has happened.
bool refuses_version(unsigned status, std::string_view body);

/// Whether an error says that the engine could not be asked at all: one of Client's own codes, or
/// what the way over SSH or TLS broke on (`ssh_…`, `tls_…`); none of the engine's refusals.
bool is_of_the_way(const Error& error);
/// Why `endpoint` can not be dialled: one of Client's codes, with the dialler's cause and remedy.
Error unreachable(const net::Endpoint& endpoint, const Error& cause);
/// Something answers at `endpoint`, but it is no engine.
Error not_an_engine(const net::Endpoint& endpoint, std::string_view why);

}  // namespace gantry::engine
