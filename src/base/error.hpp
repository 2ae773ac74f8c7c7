#pragma once

#include <exception>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gantry {

/// What a caller can do about an error, not where it came from.
enum class ErrorKind {
  invalid,          ///< The request is wrong; the same request will fail again.
  unauthenticated,  ///< Nobody knows who is asking.
  denied,           ///< Known, but not allowed.
  not_found,
  conflict,     ///< The state of the thing forbids it now.
  too_large,    ///< Over a size cap.
  exhausted,    ///< A quota or queue is full; try later.
  unavailable,  ///< The other side is not there or broke off.
  timed_out,
  internal,  ///< Our own fault.
};

/// An answer that is a refusal.
/// `message` follows `cannot <verb> <thing> '<name>' [on '<where>']: <cause>`, `remedy` says what
/// to do about it, `code` is a stable snake_case word for programs.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string code;
  std::string message;
  std::string remedy;

  /// Message and remedy joined, for people.
  std::string sentence() const { return remedy.empty() ? message : message + "; " + remedy; }
  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// The success of a Result<>.
inline const Result<> ok;

/// The refusal side of any Result: `return fail(ErrorKind::invalid, "bad_id", "…", "…");`
inline std::unexpected<Error> fail(ErrorKind kind, std::string code, std::string message,
                                   std::string remedy = {}) {
  return std::unexpected{Error{kind, std::move(code), std::move(message), std::move(remedy)}};
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected{std::move(error)}; }

/// "The world broke": thrown where no correct caller branches on it. Caught in three places:
/// async::attempt, async::TaskScope and the HTTP request edge.
class Failure : public std::exception {
 public:
  explicit Failure(Error error) : error_{std::move(error)}, what_{error_.sentence()} {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Error error_;
  std::string what_;
};

/// The value, or the refusal as an exception: for callers for whom it is a breakdown.
template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw Failure{std::move(result.error())};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct KindTraits {
  ErrorKind kind;
  std::string_view word;
  int http_status;
  int exit_code;
};

/// The one table that says how each kind looks to HTTP clients and shells.
const KindTraits& traits(ErrorKind kind);

/// A bug in our own code: prints the expression and ends the process.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
#define CHECK(expression) \
  ((expression) ? void() : ::gantry::check_failed(#expression, __FILE__, __LINE__))

}  // namespace gantry
