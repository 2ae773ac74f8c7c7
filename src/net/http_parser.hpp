#pragma once

#include "base/bytes.hpp"
#include "net/http.hpp"
#include "net/http_syntax.hpp"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// HTTP/1.1 messages out of bytes, without any I/O: feed bytes, look at what is there.
namespace gantry::net::http {

/// One request. The head is understood only when all of it has come; `feed` stops behind it, so
/// that the body is taken when somebody wants it.
class RequestParser {
 public:
  explicit RequestParser(Bytes head_max);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// Takes what it can of `bytes` and answers how many; the rest must be offered again with more
  /// behind it. Not to be called when done().
  std::expected<std::size_t, Rejection> feed(std::string_view bytes);
  bool head_done() const;
  bool done() const;

  // From here on: when head_done().
  RequestHead& head();
  Version version() const;
  /// Whether the connection can serve another request after this one.
  bool keep_alive() const;
  /// Nothing when the body is chunked.
  std::optional<std::uint64_t> content_length() const;
  /// What has come of the body and was not taken away yet.
  std::string& body();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One response; `feed` stops behind the head, too.
class ResponseParser {
 public:
  enum class Body { expected, none };  ///< none: the answer to HEAD
  ResponseParser(Bytes head_max, Body body);
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;
  ~ResponseParser();

  std::expected<std::size_t, Rejection> feed(std::string_view bytes);
  /// The connection has ended: the end of a body without a length; false when in mid-message.
  bool finish();
  bool head_done() const;
  bool done() const;

  ResponseHead& head();
  bool keep_alive() const;
  std::optional<std::uint64_t> content_length() const;
  std::string& body();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net::http
