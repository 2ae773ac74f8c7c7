#include "cli/input.hpp"

#include <array>
#include <cerrno>
#include <cstring>

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

/// Asio makes what it reads non-blocking, for everybody who shares it: the shell that started us.
class KeepsFlags {
 public:
  explicit KeepsFlags(int descriptor)
      : descriptor_{descriptor}, flags_{::fcntl(descriptor, F_GETFL)} {}
  ~KeepsFlags() { ::fcntl(descriptor_, F_SETFL, flags_); }
  KeepsFlags(const KeepsFlags&) = delete;
  KeepsFlags& operator=(const KeepsFlags&) = delete;

 private:
  int descriptor_;
  int flags_;
};

/// A file can not be waited for, and need not be.
Result<std::string> read_file(std::size_t max) {
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0) return refuse(std::strerror(errno));
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > max) return too_much(max);
  }
}

}  // namespace

async::task<Result<std::string>> read_input(std::size_t max) {
  struct stat status{};
  if (::fstat(STDIN_FILENO, &status) != 0) co_return refuse(std::strerror(errno));
  bool can_be_waited_for =
      S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || ::isatty(STDIN_FILENO) == 1;
  if (!can_be_waited_for) co_return read_file(max);

  KeepsFlags flags{STDIN_FILENO};
  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    boost::system::error_code broken;
    auto count = co_await input.async_read_some(asio::buffer(buffer),
                                                asio::redirect_error(asio::use_awaitable, broken));
    if (broken == asio::error::eof) co_return content;
    if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
    if (broken) co_return refuse(broken.message());
    content.append(buffer.data(), count);
    if (content.size() > max) co_return too_much(max);
  }
}

}  // namespace gantry::cli
