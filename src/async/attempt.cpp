#include "async/attempt.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace gantry::async {
namespace asio = boost::asio;

Error describe(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Failure& known) {
    return known.error();
  } catch (const boost::system::system_error& broken) {
    return {ErrorKind::unavailable, "connection_failed", broken.code().message(), {}};
  } catch (const std::exception& unknown) {
    return {ErrorKind::internal, "internal_error", unknown.what(), {}};
  } catch (...) {
    return {ErrorKind::internal, "internal_error", "an exception of an unknown type", {}};
  }
}

bool was_cancelled(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& broken) {
    return broken.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

task<void> rethrow_if_cancelled(std::exception_ptr failure) {
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failure);
}

}  // namespace gantry::async
