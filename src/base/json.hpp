#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

/// Reading JSON into types, at the edge, once.
namespace gantry::json {

/// Make one with parentheses: `Value{x}` is an array that holds x.
using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// What a text may look like before it is refused.
struct Limits {
  std::size_t depth_max = 32;
  std::size_t bytes_max = 32U << 20U;
};

/// What to do with keys that nobody asks for, and with keys that come twice.
enum class Keys {
  strict,    ///< Our own API: both are errors.
  tolerant,  ///< Engines and foreign formats: unknown ones are ignored, the last one wins.
};

/// The whole text as one value. Refuses malformed UTF-8, trailing data, nesting and size over the
/// limits and, when strict, duplicate keys (compared after unescaping).
Result<Value> parse(std::string_view text, Keys keys, const Limits& limits = {});

inline std::string serialize(const Value& value) { return boost::json::serialize(value); }

struct TextBounds {
  std::size_t length_min = 0;
  std::size_t length_max = 4096;
};
struct IntegerBounds {
  std::int64_t min;
  std::int64_t max;
};
struct NumberBounds {
  double min;
  double max;
};

/// Reads the members of one object, remembering the first thing that is wrong with it; `finish`
/// tells. Getters answer a neutral value after a mistake, so that a reader is a straight line:
///
///   Fields fields{value, "limits", Keys::strict};
///   auto wall = fields.integer("wall_time_ms", {1, 300'000});
///   if (auto done = fields.finish(); !done) return fail(done.error());
class Fields {
 public:
  /// `where` names the object in errors ("" for the whole body). Borrows `value`.
  Fields(const Value& value, std::string where, Keys keys);

  std::string required_text(std::string_view key, TextBounds bounds = {});
  std::optional<std::string> text(std::string_view key, TextBounds bounds = {});
  std::optional<std::int64_t> integer(std::string_view key, IntegerBounds bounds);
  std::optional<double> number(std::string_view key, NumberBounds bounds);
  std::optional<bool> boolean(std::string_view key);
  /// An array of texts, at most `count_max` of them.
  std::vector<std::string> texts(std::string_view key, std::size_t count_max,
                                 TextBounds bounds = {});
  /// An object whose members are all texts, in order.
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key,
                                                            std::size_t count_max,
                                                            TextBounds bounds = {});
  /// The member itself (null counts as absent), for nested readers; nullptr when absent.
  const Value* member(std::string_view key);
  const Array* array(std::string_view key, std::size_t count_max);

  /// Note a mistake found by the caller about `key`.
  void refuse(std::string_view key, std::string_view reason);
  /// Take over the mistake a nested reader found.
  void adopt(Error error);
  bool refused() const { return error_.has_value(); }
  /// `limits.wall_time_ms`: how this member is called in errors.
  std::string path(std::string_view key) const;

  /// The first mistake, an unknown key included.
  Result<> finish();

 private:
  const Object* object_ = nullptr;
  std::string where_;
  Keys keys_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> error_;
};

/// `field 'limits.cpus' must be …` as an Error of kind invalid.
Error field_error(std::string_view path, std::string_view reason);

}  // namespace gantry::json
