#include "net/http_parser.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>

namespace gantry::net::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace {

/// Longest chunk header with its extensions, and longest trailer.
constexpr std::size_t chunk_header_max = 8U << 10U;
/// `0\r\n\r\n`: no chunked body is shorter.
constexpr std::size_t chunked_min = 5;

Rejection rejection(const beast::error_code& cause) {
  using beast::http::error;
  if (cause == error::header_limit) return {431, "the head is larger than allowed"};
  return {400, cause.message()};
}

/// Collects what Beast's parser finds. Beast decides where the message ends.
template <bool is_request>
class Collector final : public beast::http::basic_parser<is_request> {
 public:
  explicit Collector(Bytes head_max) {
    this->header_limit(static_cast<std::uint32_t>(head_max.count));
    this->body_limit(boost::none);
  }

  std::string method;
  std::string target;
  unsigned status = 0;
  Version version = Version::http_1_1;
  Headers headers;
  std::string body;

  bool at_first_chunk() const { return this->is_header_done() && this->chunked() && !in_chunks_; }

 private:
  using Code = beast::error_code;
  using Text = beast::string_view;

  void on_request_impl(beast::http::verb, Text name, Text path, int number, Code&) override {
    method.assign(name.data(), name.size());
    target.assign(path.data(), path.size());
    version = number == 11 ? Version::http_1_1 : Version::http_1_0;
  }
  void on_response_impl(int code, Text, int number, Code&) override {
    status = static_cast<unsigned>(code);
    version = number == 11 ? Version::http_1_1 : Version::http_1_0;
  }
  void on_field_impl(beast::http::field, Text name, Text value, Code&) override {
    if (in_head_) headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  // Fields after the head are trailers: they come too late to mean anything, and are dropped.
  void on_header_impl(Code&) override { in_head_ = false; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text piece, Code&) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override { in_chunks_ = true; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, Code&) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(Code&) override {}

  bool in_head_ = true;
  bool in_chunks_ = false;
};

/// Feeds the parser until it wants more; in the head it stops when the head is complete.
template <bool is_request>
std::expected<std::size_t, Rejection> put(Collector<is_request>& parser, std::string_view bytes) {
  // Beast 1.81 asserts when an empty chunked body comes in pieces.
  if (parser.at_first_chunk() && bytes.size() < chunked_min) return 0;
  parser.eager(parser.is_header_done());
  beast::error_code cause;
  auto used = parser.put(asio::buffer(bytes.data(), bytes.size()), cause);
  if (cause && cause != beast::http::error::need_more) return std::unexpected{rejection(cause)};
  bool waiting = cause && parser.is_header_done() && bytes.size() - used > chunk_header_max;
  if (waiting) return std::unexpected{Rejection{400, "a chunk's header is too long"}};
  return used;
}

std::optional<std::uint64_t> length(const boost::optional<std::uint64_t>& value) {
  return value ? std::optional{*value} : std::nullopt;
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(Bytes limit) : parser{limit}, head_max{limit.count} {}

  std::expected<std::size_t, Rejection> feed_head(std::string_view bytes);

  Collector<true> parser;
  RequestHead head;
  std::size_t head_max;
  std::size_t searched = 0;  // no end of the head before this
};

std::expected<std::size_t, Rejection> RequestParser::Impl::feed_head(std::string_view bytes) {
  // RFC 9112 section 2.2: an empty line before a request is not its business.
  std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  auto rest = bytes.substr(skipped);
  for (auto at = rest.find('\n', searched); at != rest.npos; at = rest.find('\n', at + 1)) {
    searched = at + 1;
    if (at == 0 || rest[at - 1] != '\r') {
      return std::unexpected{Rejection{400, "a line of the head ends in a bare LF"}};
    }
    if (at < 3 || rest[at - 2] != '\n') continue;
    auto whole = rest.substr(0, at + 1);
    if (whole.size() > head_max) break;
    if (auto bad = check_raw_head(whole)) return std::unexpected{std::move(*bad)};
    auto used = put(parser, whole);
    if (!used) return used;
    head = {std::move(parser.method), std::move(parser.target), std::move(parser.headers)};
    if (auto bad = check_request(head, parser.version)) return std::unexpected{std::move(*bad)};
    return skipped + whole.size();
  }
  if (rest.size() < head_max) return 0;
  bool one_line = rest.find('\n') == rest.npos;
  return std::unexpected{one_line ? Rejection{414, "the target is longer than allowed"}
                                  : Rejection{431, "the head is larger than allowed"}};
}

RequestParser::RequestParser(Bytes head_max) : impl_{std::make_unique<Impl>(head_max)} {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

std::expected<std::size_t, Rejection> RequestParser::feed(std::string_view bytes) {
  CHECK(!done());
  return head_done() ? put(impl_->parser, bytes) : impl_->feed_head(bytes);
}

bool RequestParser::head_done() const { return impl_->parser.is_header_done(); }
bool RequestParser::done() const { return impl_->parser.is_done(); }
RequestHead& RequestParser::head() { return impl_->head; }
Version RequestParser::version() const { return impl_->parser.version; }
bool RequestParser::keep_alive() const { return impl_->parser.keep_alive(); }
std::optional<std::uint64_t> RequestParser::content_length() const {
  if (impl_->parser.chunked()) return std::nullopt;
  return length(impl_->parser.content_length()).value_or(0);
}
std::string& RequestParser::body() { return impl_->parser.body; }

struct ResponseParser::Impl {
  explicit Impl(Bytes head_max) : parser{head_max} {}

  Collector<false> parser;
  ResponseHead head;
};

ResponseParser::ResponseParser(Bytes head_max, Body body)
    : impl_{std::make_unique<Impl>(head_max)} {
  impl_->parser.skip(body == Body::none);
}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

std::expected<std::size_t, Rejection> ResponseParser::feed(std::string_view bytes) {
  CHECK(!done());
  bool in_head = !head_done();
  auto used = put(impl_->parser, bytes);
  if (used && in_head && head_done()) {
    impl_->head = {impl_->parser.status, std::move(impl_->parser.headers)};
  }
  return used;
}

bool ResponseParser::finish() {
  if (done()) return true;
  if (!head_done()) return false;
  beast::error_code cause;
  impl_->parser.put_eof(cause);
  return !cause;
}

bool ResponseParser::head_done() const { return impl_->parser.is_header_done(); }
bool ResponseParser::done() const { return impl_->parser.is_done(); }
ResponseHead& ResponseParser::head() { return impl_->head; }
bool ResponseParser::keep_alive() const { return impl_->parser.keep_alive(); }
std::optional<std::uint64_t> ResponseParser::content_length() const {
  return length(impl_->parser.content_length());
}
std::string& ResponseParser::body() { return impl_->parser.body; }

}  // namespace gantry::net::http
