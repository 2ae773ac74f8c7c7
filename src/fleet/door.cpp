#include "fleet/door.hpp"

#include <set>
#include <utility>

namespace gantry::fleet {
namespace {

async::task<std::unique_ptr<net::Stream>> refuse(Error why) {
  throw Failure{std::move(why)};
  co_return nullptr;
}

}  // namespace

net::Connect refusing(Error why) {
  return [why = std::move(why)] { return refuse(why); };
}

struct Door::State {
  net::Connect dial;
  std::set<net::Stream*> open;
  std::optional<Error> shut;
};

/// A stream that the door knows of for as long as it lives.
class Door::Watched final : public net::Stream {
 public:
  Watched(std::shared_ptr<State> state, std::unique_ptr<net::Stream> inner)
      : state_{std::move(state)}, inner_{std::move(inner)} {
    state_->open.insert(this);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() override { state_->open.erase(this); }

  async::task<std::size_t> read_some(std::span<char> into) override {
    return inner_->read_some(into);
  }
  async::task<void> write(std::string_view bytes) override { return inner_->write(bytes); }
  void write_last(std::string bytes) override { inner_->write_last(std::move(bytes)); }
  void finish_writing() override { inner_->finish_writing(); }
  void close() override { inner_->close(); }

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<net::Stream> inner_;
};

Door::Door(net::Connect dial) : state_{std::make_shared<State>(State{std::move(dial), {}, {}})} {}

net::Connect Door::connect() const {
  return [state = state_] { return enter(state); };
}

async::task<std::unique_ptr<net::Stream>> Door::enter(std::shared_ptr<State> state) {
  if (state->shut) throw Failure{*state->shut};
  auto stream = co_await state->dial();
  if (state->shut) throw Failure{*state->shut};
  co_return std::make_unique<Watched>(state, std::move(stream));
}

void Door::shut(Error why) {
  state_->shut = std::move(why);
  auto open = state_->open;  // closing one may destroy it
  for (auto* stream : open) {
    if (state_->open.contains(stream)) stream->close();
  }
}

const std::optional<Error>& Door::why_shut() const { return state_->shut; }

std::size_t Door::open() const { return state_->open.size(); }

}  // namespace gantry::fleet
