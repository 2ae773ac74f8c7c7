#include "fleet/probe.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "engine/client.hpp"
#include "engine/refusal.hpp"
#include "engine/system.hpp"
#include "fleet/door.hpp"
#include "net/resolve.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

using Scheme = net::Endpoint::Scheme;
using State = ProbeStep::State;

constexpr Milliseconds ssh_patience{60'000};
constexpr Milliseconds step_patience{20'000};

constexpr std::array state_words{std::pair{State::ok, "ok"}, std::pair{State::failed, "failed"},
                                 std::pair{State::skipped, "skipped"}};

/// Goes from step to step; after one that failed all others are skipped.
class Prober {
 public:
  Prober(async::Executor executor, ProbedWay way)
      : executor_{std::move(executor)},
        way_{std::move(way)},
        engine_{executor_, way_.connect, way_.endpoint} {}

  async::task<Probe> go() {
    // A host whose secrets do not open has no tunnel: its dialler says so.
    if (way_.tunnel != nullptr) {
      co_await by_ssh();
    } else {
      co_await directly();
    }
    co_await take("ping", ping());
    co_await take("version", version());
    co_return std::move(probe_);
  }

 private:
  void skip(std::string step) { probe_.steps.push_back({.step = std::move(step)}); }

  async::task<void> take(std::string step, async::task<std::string> work) {
    if (failed_) {
      skip(std::move(step));
      co_return;
    }
    auto began = steady_now();
    auto done = co_await async::attempt(async::with_deadline(step_patience, step, std::move(work)));
    ProbeStep taken{.step = std::move(step), .state = done ? State::ok : State::failed};
    taken.took = std::chrono::duration_cast<Milliseconds>(steady_now() - began);
    if (done) {
      taken.detail = std::move(*done);
    } else {
      failed_ = true;
      taken.detail = done.error().message;
      taken.code = done.error().code;
      taken.remedy = done.error().remedy;
    }
    probe_.steps.push_back(std::move(taken));
  }

  async::task<void> directly() {
    auto scheme = way_.endpoint.scheme();
    if (scheme == Scheme::unix_socket || scheme == Scheme::ssh) {
      skip("resolve");
    } else {
      co_await take("resolve", resolve());
    }
    co_await take("connect", connect());
    skip("host_key");
    if (scheme == Scheme::tls) {
      co_await take("authenticate", authenticate());
    } else {
      skip("authenticate");
    }
    skip("forward");
    stream_.reset();
  }

  async::task<void> by_ssh() {
    auto report = co_await async::attempt(
        async::with_deadline(ssh_patience, "trying the way", way_.tunnel->probe()));
    if (!report) {
      failed_ = true;
      const auto& error = report.error();
      probe_.steps.push_back({.step = "connect",
                              .state = State::failed,
                              .detail = error.message,
                              .code = error.code,
                              .remedy = error.remedy});
      co_return;
    }
    if (report->error) report->error = co_await dressed(std::move(*report->error));
    for (auto& step : report->steps) {
      if (step.state == net::SshStep::State::failed) {
        step.detail = report->error->message;
        step.remedy = report->error->remedy;
      }
      probe_.steps.push_back({.step = step.step,
                              .state = static_cast<State>(step.state),
                              .detail = step.detail,
                              .code = step.code,
                              .remedy = step.remedy,
                              .fingerprint = step.key ? step.key->fingerprint : std::string{},
                              .took = step.took});
      failed_ = failed_ || step.state == net::SshStep::State::failed;
    }
  }

  /// As whoever dials is told it.
  async::task<Error> dressed(Error error) {
    if (!way_.dress) co_return error;
    auto dial = way_.dress(refusing(error));
    auto told = co_await async::attempt(dial());
    co_return told ? error : told.error();
  }

  async::task<std::string> resolve() {
    auto addresses = co_await net::resolve(way_.endpoint.host());
    co_return fmt::format("{}", fmt::join(addresses, ", "));
  }

  async::task<std::string> connect() {
    auto dial = way_.connect;
    if (way_.endpoint.scheme() == Scheme::tls) {
      // TLS begins in the next step, over the same connection.
      auto plain = value_or_throw(net::Endpoint::parse("tcp://" + way_.endpoint.host_header()));
      dial = net::dialer(executor_, std::move(plain));
    }
    auto connected = co_await async::attempt(dial());
    if (!connected) throw Failure{engine::unreachable(way_.endpoint, connected.error())};
    stream_ = std::move(*connected);
    co_return "";
  }

  async::task<std::string> authenticate() {
    stream_ = co_await net::tls_connect(std::move(stream_), *way_.tls, way_.endpoint.host());
    co_return "its certificate is trusted";
  }

  async::task<std::string> ping() {
    auto version = co_await engine::ping(engine_);
    co_return fmt::format("API {}", version.text());
  }

  async::task<std::string> version() {
    auto version = value_or_throw(co_await engine::version(engine_));
    co_return fmt::format("{} on {}/{}", version.version, version.os, version.architecture);
  }

  async::Executor executor_;
  ProbedWay way_;
  engine::Client engine_;
  std::unique_ptr<net::Stream> stream_;
  Probe probe_;
  bool failed_ = false;
};

}  // namespace

std::string_view word(ProbeStep::State state) {
  return std::ranges::find(state_words, state, &std::pair<State, const char*>::first)->second;
}

bool Probe::reached() const {
  return !steps.empty() && std::ranges::none_of(steps, [](const ProbeStep& step) {
    return step.state == State::failed;
  }) && steps.back().state == State::ok;
}

async::task<Probe> probe_way(async::Executor executor, ProbedWay way) {
  Prober prober{std::move(executor), std::move(way)};
  co_return co_await prober.go();
}

}  // namespace gantry::fleet
