#include "cli/input.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>  // standard input is no net::Stream
#include <boost/asio/redirect_error.hpp>           // its errors
#include <boost/asio/this_coro.hpp>                // the loop it is waited on
#include <boost/asio/use_awaitable.hpp>            // the same
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::cli {
namespace asio = boost::asio;
namespace {

std::unexpected<Error> refuse(std::string_view cause) {
  return fail(ErrorKind::invalid, "bad_input", fmt::format("cannot read standard input: {}", cause),
              {});
}

std::unexpected<Error> too_much(std::size_t max) {
  return fail(ErrorKind::too_large, "input_too_large",
              fmt::format("cannot send standard input: it is larger than {} MiB", max >> 20U),
              "send less of it, or as a compressed --file (10 MiB too), or put it into an image "
              "and name that with --image");
}

std::unexpected<Error> too_long(std::size_t max) {
  return fail(ErrorKind::too_large, "input_too_large",
              fmt::format("cannot read standard input: a line is longer than {} MiB", max >> 20U));
}

/// Asio makes what it reads non-blocking, for everybody who shares it: the shell that started us.
class KeepsFlags {
 public:
  explicit KeepsFlags(int descriptor)
      : descriptor_{descriptor}, flags_{::fcntl(descriptor, F_GETFL)} {}
  ~KeepsFlags() {
    if (descriptor_ >= 0) ::fcntl(descriptor_, F_SETFL, flags_);
  }
  KeepsFlags(KeepsFlags&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)}, flags_{other.flags_} {}
  KeepsFlags& operator=(KeepsFlags&&) = delete;

 private:
  int descriptor_;
  int flags_;
};

/// Standard input, piece by piece. Where it can be waited for, that does not hold up the loop; a
/// file can not, and need not be.
class Input {
 public:
  static async::task<Result<Input>> open() {
    struct stat status{};
    if (::fstat(STDIN_FILENO, &status) != 0) co_return refuse(std::strerror(errno));
    bool can_be_waited_for =
        S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || ::isatty(STDIN_FILENO) == 1;
    Input input;
    if (can_be_waited_for) {
      input.flags_.emplace(STDIN_FILENO);
      input.waited_.emplace(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
    }
    co_return input;
  }

  /// The next bytes; none at the end.
  async::task<Result<std::string_view>> read() {
    if (!waited_) co_return read_now();
    boost::system::error_code broken;
    auto count = co_await waited_->async_read_some(
        asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, broken));
    if (broken == asio::error::eof) co_return std::string_view{};
    if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
    if (broken) co_return refuse(broken.message());
    co_return std::string_view{buffer_.data(), count};
  }

 private:
  Result<std::string_view> read_now() {
    auto count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (count < 0) return refuse(std::strerror(errno));
    return std::string_view{buffer_.data(), static_cast<std::size_t>(count)};
  }
  std::optional<KeepsFlags> flags_;
  std::optional<asio::posix::stream_descriptor> waited_;
  std::vector<char> buffer_ = std::vector<char>(65536);
};

}  // namespace

async::task<Result<std::string>> read_input(std::size_t max) {
  auto input = co_await Input::open();
  if (!input) co_return fail(input.error());
  std::string content;
  while (true) {
    auto piece = co_await input->read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return content;
    content += *piece;
    if (content.size() > max) co_return too_much(max);
  }
}

async::task<Result<std::string>> read_line(std::size_t line_max) {
  auto input = co_await Input::open();
  if (!input) co_return fail(input.error());
  std::string line;
  while (true) {
    auto piece = co_await input->read();
    if (!piece) co_return fail(piece.error());
    auto end = piece->find('\n');
    line += piece->substr(0, end);
    bool is_over = piece->empty() || end != piece->npos || line.size() >= line_max;
    if (is_over) co_return line.substr(0, line_max);
  }
}

async::task<Result<>> read_pieces(std::function<async::task<void>(std::string)> each) {
  auto input = co_await Input::open();
  if (!input) co_return fail(input.error());
  while (true) {
    auto piece = co_await input->read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) co_return ok;
    co_await each(std::string{*piece});
  }
}

async::task<Result<>> read_lines(std::size_t line_max,
                                 std::function<async::task<void>(std::string)> each) {
  auto input = co_await Input::open();
  if (!input) co_return fail(input.error());
  std::string line;
  while (true) {
    auto piece = co_await input->read();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    auto rest = *piece;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
      line += rest.substr(0, end);
      rest.remove_prefix(end + 1);
      co_await each(std::exchange(line, {}));
    }
    line += rest;
    if (line.size() > line_max) co_return too_long(line_max);
  }
  if (!line.empty()) co_await each(std::move(line));
  co_return ok;
}

}  // namespace gantry::cli
