#include "net/watchdog.hpp"

// The timer of many phases; see the class for why it is not async::with_deadline.
#include <boost/asio/steady_timer.hpp>

namespace gantry::net {
namespace asio = boost::asio;

struct Watchdog::State {
  State(const async::Executor& executor, Stream& guarded) : timer{executor}, stream{&guarded} {}

  asio::steady_timer timer;
  Stream* stream;
  SteadyTime deadline = SteadyTime::max();
  SteadyTime armed = SteadyTime::max();
  bool expired = false;
};

Watchdog::Watchdog(const async::Executor& executor, Stream& stream)
    : state_{std::make_shared<State>(executor, stream)} {}

Watchdog::~Watchdog() {
  state_->stream = nullptr;
  state_->timer.cancel();
}

void Watchdog::allow(Milliseconds limit) {
  if (limit == Milliseconds::zero()) return rest();
  state_->deadline = steady_now() + limit;
  if (state_->deadline < state_->armed) arm(state_);
}

void Watchdog::rest() { state_->deadline = SteadyTime::max(); }

bool Watchdog::expired() const { return state_->expired; }

void Watchdog::arm(const std::shared_ptr<State>& state) {
  state->armed = state->deadline;
  state->timer.expires_at(state->armed);
  state->timer.async_wait([state](const boost::system::error_code& stopped) {
    if (stopped || state->stream == nullptr) return;
    state->armed = SteadyTime::max();
    if (state->deadline == SteadyTime::max()) return;
    if (state->deadline > steady_now()) return arm(state);
    state->expired = true;
    state->stream->close();
  });
}

}  // namespace gantry::net
