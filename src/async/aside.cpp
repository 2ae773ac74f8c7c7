#include "async/aside.hpp"

#include "async/deadline.hpp"
#include "async/descriptor.hpp"
#include "base/error.hpp"

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace gantry::async {
namespace {

// Of the whole program: what is left behind is left behind by everybody.
std::atomic<int> at_work{0};

/// What caller and thread share.
struct Ending {
  Descriptor told;
  std::atomic<bool> ended{false};
};

void tell(Ending& ending) {
  ending.ended.store(true, std::memory_order_release);
  std::uint64_t once = 1;
  // A counter that nobody has raised before takes it always.
  CHECK(::write(ending.told.get(), &once, sizeof once) == sizeof once);
}

void begin(std::shared_ptr<Ending> ending, std::function<void()> work) {
  try {
    std::thread{[ending, work = std::move(work)]() mutable {
      work();
      work = nullptr;
      at_work.fetch_sub(1);
      tell(*ending);
    }}.detach();
  } catch (const std::system_error&) {  // there are no threads to be had
    at_work.fetch_sub(1);
    throw;
  }
}

task<void> end_of(std::shared_ptr<Ending> ending) {
  while (!ending->ended.load(std::memory_order_acquire)) co_await readable(ending->told);
}

Failure too_many() {
  return Failure{{ErrorKind::exhausted, "too_many_aside",
                  "cannot look any further: too much of what was begun does not answer",
                  "look for mounts and name services that hang"}};
}

}  // namespace

task<void> detail::run_aside(Milliseconds limit, std::string doing, std::function<void()> work) {
  if (at_work.fetch_add(1) >= aside_max) {
    at_work.fetch_sub(1);
    throw too_many();
  }
  auto ending = std::make_shared<Ending>();  // the thread's as well
  ending->told = Descriptor{::eventfd(0, EFD_CLOEXEC)};
  if (!ending->told) {
    at_work.fetch_sub(1);
    throw boost::system::system_error{errno, boost::system::system_category()};
  }
  begin(ending, std::move(work));
  co_await with_deadline(limit, std::move(doing), end_of(ending));
}

}  // namespace gantry::async
