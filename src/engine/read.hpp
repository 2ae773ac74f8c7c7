#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/client.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Readers of what engines answer: keys nobody knows are ignored, absent ones are neutral, and
/// what has the wrong type is an error. Sizes are bounded by the cap on the whole answer.
namespace gantry::engine::read {

/// `answer` must outlive the reader.
json::Fields fields(const json::Value& answer, std::string where);

/// A text; empty when absent.
std::string text(json::Fields& fields, std::string_view key);
std::int64_t integer(json::Fields& fields, std::string_view key);
bool boolean(json::Fields& fields, std::string_view key);
std::vector<std::string> texts(json::Fields& fields, std::string_view key);
std::map<std::string, std::string> text_map(json::Fields& fields, std::string_view key);
/// The names of an object's members, in order.
std::vector<std::string> keys(json::Fields& fields, std::string_view key);
/// How many items an array or members an object has.
std::size_t count(json::Fields& fields, std::string_view key);
/// A counter; what is negative, fractional or too large counts as 0.
std::uint64_t counter(const json::Object& object, std::string_view key);
/// A member that is a text; an empty one when it is not there or something else.
std::string text_in(const json::Object& object, std::string_view key);
/// A member that is an object; an empty one when it is not there or something else.
const json::Object& object(const json::Object& parent, std::string_view key);

/// Seconds since 1970 as a time between 1970 and 2200, whatever was claimed.
WallTime time_of(std::int64_t unix_seconds);

/// `cannot <doing>: the engine's answer is malformed: <cause>`
Error malformed(const Doing& doing, const Error& cause);

}  // namespace gantry::engine::read
