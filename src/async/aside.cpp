#include "async/aside.hpp"

#include "async/deadline.hpp"
#include "async/descriptor.hpp"
#include "base/error.hpp"

#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace gantry::async {
namespace {

/// What is at work in the whole program: what is left behind is left behind by everybody.
class AtWork {
 public:
  using Place = std::list<std::pair<std::string, SteadyTime>>::const_iterator;

  Place enter(std::string doing, SteadyTime end) {
    std::lock_guard lock{mutex_};
    for (const auto& [name, its_end] : pieces_) {
      if (name == doing && its_end <= steady_now()) throw still_away(doing);
    }
    if (pieces_.size() >= detail::aside_max) throw too_many();
    return pieces_.insert(pieces_.end(), {std::move(doing), end});
  }
  void leave(Place place) {
    std::lock_guard lock{mutex_};
    pieces_.erase(place);
  }

 private:
  static Failure still_away(std::string_view doing) {
    return Failure{{ErrorKind::timed_out,
                    "timed_out",
                    fmt::format("{} was begun before, and has not come to an end yet", doing),
                    {}}};
  }
  static Failure too_many() {
    return Failure{{ErrorKind::exhausted, "too_many_aside",
                    "cannot look any further: too much of what was begun does not answer",
                    "look for mounts and name services that hang"}};
  }

  std::mutex mutex_;
  std::list<std::pair<std::string, SteadyTime>> pieces_;
};

/// Also of the threads that go on when the program ends and this is taken away.
std::shared_ptr<AtWork> at_work() {
  static const auto all = std::make_shared<AtWork>();
  return all;
}

/// A piece of work, as long as it is at work.
class Piece {
 public:
  Piece(std::string doing, Milliseconds limit)
      : place_{all_->enter(std::move(doing), steady_now() + limit)} {}
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece() { all_->leave(place_); }

 private:
  std::shared_ptr<AtWork> all_ = at_work();
  AtWork::Place place_;
};

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

void begin(std::unique_ptr<Piece> piece, std::shared_ptr<Ending> ending,
           std::function<void()> work) {
  std::thread{[piece = std::move(piece), ending = std::move(ending),
               work = std::move(work)]() mutable {
    work();
    work = nullptr;
    piece.reset();
    tell(*ending);
  }}.detach();
}

task<void> end_of(std::shared_ptr<Ending> ending) {
  while (!ending->ended.load(std::memory_order_acquire)) co_await readable(ending->told);
}

}  // namespace

task<void> detail::run_aside(Milliseconds limit, std::string doing, std::function<void()> work) {
  auto ending = std::make_shared<Ending>();  // the thread's as well
  ending->told = Descriptor{::eventfd(0, EFD_CLOEXEC)};
  if (!ending->told) throw boost::system::system_error{errno, boost::system::system_category()};
  begin(std::make_unique<Piece>(doing, limit), ending, std::move(work));
  co_await with_deadline(limit, std::move(doing), end_of(ending));
}

}  // namespace gantry::async
