#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP messages as plain data (RFC 9110, RFC 9112).
namespace gantry::net::http {

/// Header fields in order; names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_{fields} {}

  /// The first value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// How often the field occurs.
  std::size_t count(std::string_view name) const;
  /// Replaces every occurrence.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// The head of a request; bodies travel beside it.
struct RequestHead {
  std::string method = "GET";
  /// Path and query as sent, percent-encoded.
  std::string target = "/";
  Headers headers;
};

struct ResponseHead {
  unsigned status = 200;
  Headers headers;
};

/// The standard reason phrase, "" when there is none.
std::string_view reason(unsigned status);

}  // namespace gantry::net::http
