#include "async/finally.hpp"

namespace gantry::async::detail {

task<std::exception_ptr> failure_of(task<void> cleanup) {
  try {
    co_await shielded(std::move(cleanup));
  } catch (...) {
    co_return std::current_exception();
  }
  co_return nullptr;
}

}  // namespace gantry::async::detail
