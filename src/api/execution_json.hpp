#pragma once

#include "base/json.hpp"
#include "executions/record.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gantry::api {

/// An execution as lists have it: without what may be long.
json::Object execution_item_json(const executions::Record& record);
/// The whole, with `stdout` and `stderr` as text, or both in base64 when either is not UTF-8.
/// `message`: what of the outcome's is for who asks (told_message).
json::Object execution_json(const executions::Record& record, const std::string& message);
/// The files it left: `index`, `path`, `size_bytes`.
json::Array artifacts_json(const executions::Record& record);
/// How many bytes of it are to be looked at and written: for `compute`.
std::size_t weight(const executions::Record& record);

/// `{"text": …}`, or `{"base64": …}` when it is not UTF-8.
json::Object output_json(std::string_view bytes);

/// Cuts a stream of bytes at the borders of characters, so that one which arrives in two pieces
/// is not taken for something that is not text.
class CharacterBorder {
 public:
  /// What can be told now of all that came: ends at a border, or is not UTF-8 at all.
  std::string take(std::string_view bytes);
  /// What is left when the stream has ended.
  std::string rest() { return std::exchange(kept_, {}); }

 private:
  std::string kept_;
};

}  // namespace gantry::api
