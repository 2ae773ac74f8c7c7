#pragma once

#include "base/error.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::api {

/// The query of a request. Strict as our JSON is: a parameter that nobody asks for, or that comes
/// twice, is refused by `finish`.
class Query {
 public:
  Query() = default;
  explicit Query(std::vector<std::pair<std::string, std::string>> items)
      : items_{std::move(items)} {}

  std::optional<std::string> text(std::string_view name);
  /// All values of a parameter that may come several times, at most `count_max` times.
  std::vector<std::string> texts(std::string_view name, std::size_t count_max);
  /// `true` or `false`.
  std::optional<bool> boolean(std::string_view name);
  std::optional<int> integer(std::string_view name, int min, int max);
  /// The first mistake, an unknown parameter included.
  Result<> finish();

  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

 private:
  void refuse(std::string_view name, std::string_view reason);

  std::vector<std::pair<std::string, std::string>> items_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> error_;
};

/// A request's target, decoded once.
struct Target {
  /// Decoded segments: `/api/v1/me` has three, `/` has one that is empty. None holds a slash or a
  /// control character.
  std::vector<std::string> segments;
  Query query;

  std::string path() const;
  /// Refuses what does not begin with a slash or is not well encoded.
  static Result<Target> parse(std::string_view text);
};

/// Whether `text` can be an id of ours: 1 to 64 letters, digits, `_` and `-`.
bool valid_id(std::string_view text);
/// Whether `text` can name a host or something on one (a container, an image's id): 1 to 255
/// letters, digits, `_`, `.`, `-`, `:` and `@`, the first of them a letter or a digit.
bool valid_reference(std::string_view text);

}  // namespace gantry::api
