#include "net/ssh_tunnel.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "net/local_pair.hpp"
#include "net/ssh_probe.hpp"
#include "net/ssh_script.hpp"
#include "net/ssh_stream.hpp"
#include "net/ssh_trial.hpp"
#include "net/ssh_user_config.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <fmt/format.h>

// One coroutine, `keep_up`, owns the way: it makes it, stays while it lasts, rests when it broke,
// and begins anew. Everybody else waits for its state to settle. Trouble that only a person can
// mend is not tried again in the background: passwords that are refused again and again lock
// accounts, and a changed host key is a question that must be answered first.
namespace gantry::net {
namespace {

enum class State : std::uint8_t {
  connecting,
  up,
  resting,  ///< Until the next try by itself.
  stopped,  ///< Until somebody does something.
  closed,
};

/// A way that lasted so long was a good one: the next pauses begin short again.
constexpr auto good_way = Seconds{10};

/// Each is a login of its own.
constexpr std::size_t runs_max = 4;

constexpr std::string_view for_people[] = {
    "ssh_missing",           "ssh_host_key_unknown",   "ssh_host_key_changed",
    "ssh_identity_unusable", "ssh_agent_not_allowed",  "ssh_authentication_failed",
    "ssh_account_missing",   "ssh_config_not_allowed", "known_hosts_unusable",
    "ssh_room_unusable",
};

/// Of those also the next use tries nothing: refused logins lock accounts, and a link uses its host
/// without end.
constexpr std::string_view for_people_alone[] = {
    "ssh_host_key_changed", "ssh_authentication_failed", "ssh_identity_unusable"};

bool waits_for_somebody(const Error& error) {
  return std::ranges::find(for_people_alone, error.code) != std::end(for_people_alone);
}

bool needs_somebody(const Error& error) {
  return std::ranges::find(for_people, error.code) != std::end(for_people);
}

/// A stream by dial-stdio and the OpenSSH that carries it.
struct StdioSession {
  StdioSession(const async::Executor& executor, std::shared_ptr<SshCurrent> on)
      : current{std::move(on)}, run{executor, current->way}, stop{executor} {}

  // Owned by the tunnel and by the sessions that were begun on this way, which may end later.
  std::shared_ptr<SshCurrent> current;
  SshRun run;
  async::StopSignal stop;
};

/// Ends a session on every way out, also when its coroutine is cancelled: its stream may live on.
struct Ending {
  StdioSession& session;
  ~Ending() {
    session.run.end();
    session.current.reset();
  }
};

}  // namespace

std::string_view word_of(SshVia via) { return via == SshVia::forward ? "forward" : "dial-stdio"; }

struct SshTunnel::Impl {
  Impl(async::Executor on, Endpoint to, SshSettings how, SshPlaces where, SshPace at)
      : executor{std::move(on)},
        endpoint{std::move(to)},
        settings{std::move(how)},
        places{std::move(where)},
        pace{at},
        changed{executor},
        doubt{executor},
        wanted{executor},
        closing{executor},
        backoff{pace.first_retry, pace.longest_retry},
        scope{executor} {
    places.known_hosts = std::filesystem::absolute(places.known_hosts).lexically_normal();
    sweep_ssh_rooms(places.runtime);
  }

  struct Running;

  async::task<void> keep_up();
  async::task<void> hold();
  async::task<bool> hold_forward();
  async::task<void> use_forward(SshRun& run, bool& forwarded);
  async::task<void> wait_for_want();
  async::task<void> settled();
  async::task<std::unique_ptr<Stream>> connect();
  async::task<std::unique_ptr<Stream>> dial_forward();
  async::task<std::unique_ptr<Stream>> dial_stdio();
  async::task<void> carry(std::shared_ptr<StdioSession> session);
  async::task<Result<std::string>> run(std::string script);
  async::task<void> keep_running(std::string script, std::string& printed);
  SshPlace take_place(std::size_t most);
  Error too_slow() const;
  void set(State next);
  void up(SshVia by);
  void down(Error why);
  void note_key(const SshRun& run, const Error& why);
  void retry();

  async::Executor executor;
  Endpoint endpoint;
  SshSettings settings;
  SshPlaces places;
  SshPace pace;

  State state = State::connecting;
  bool begun = false;
  std::optional<SshVia> via;
  std::optional<Error> error;
  std::optional<SshHostKey> offered;
  SteadyTime up_since;
  SteadyTime down_since;
  std::shared_ptr<SshCurrent> current;
  std::shared_ptr<std::size_t> streams = std::make_shared<std::size_t>(0);
  async::Event changed;
  async::Event doubt;  // whether dial-stdio still works
  async::Event wanted;
  bool is_wanted = false;
  async::StopSignal closing;
  std::size_t runs = 0;
  async::Backoff backoff;
  async::TaskScope scope;
};

/// One more text that runs there; `close` waits for all of them.
struct SshTunnel::Impl::Running {
  /// Who waits wakes in a later turn of the loop: then it is counted no more.
  ~Running() { tunnel.changed.notify(); }
  Impl& tunnel;
  Counted counted{tunnel.runs};
};

void SshTunnel::Impl::set(State next) {
  state = next;
  changed.notify();
}

void SshTunnel::Impl::up(SshVia by) {
  log::info("connected to '{}' by SSH ({})", endpoint.text(), word_of(by));
  via = by;
  error.reset();
  offered.reset();
  up_since = steady_now();
  set(State::up);
}

void SshTunnel::Impl::down(Error why) {
  if (error != why) log::warn("{}", why.sentence());
  if (via && steady_now() - up_since > good_way) backoff.reset();
  via.reset();
  current.reset();
  error = std::move(why);
  down_since = steady_now();
  set(needs_somebody(*error) ? State::stopped : State::resting);
}

void SshTunnel::Impl::retry() {
  if (state != State::resting && state != State::stopped) return;
  set(State::connecting);
  is_wanted = true;
  wanted.notify();
}

async::task<void> SshTunnel::Impl::wait_for_want() {
  while (!is_wanted) co_await wanted.wait();
}

async::task<void> SshTunnel::Impl::keep_up() {
  for (;;) {
    is_wanted = false;
    auto ended = co_await async::attempt(hold());
    if (ended) {
      // dial-stdio is in doubt: look again, soon.
      if (steady_now() - up_since > good_way) backoff.reset();
      via.reset();
      set(State::connecting);
      co_await backoff.pause();
      continue;
    }
    down(ended.error());
    if (state == State::stopped) {
      co_await wait_for_want();
    } else {
      co_await async::race(backoff.pause(), wait_for_want());
    }
    set(State::connecting);
  }
}

/// Makes the way and stays while it lasts. Throws Failure with why it ended; returns when it is to
/// be looked at anew.
async::task<void> SshTunnel::Impl::hold() {
  auto way = co_await find_ssh_way(endpoint.hop(), settings, places);
  current = std::make_shared<SshCurrent>(settings, places, std::move(way), pace, endpoint.path());
  if (co_await hold_forward()) co_return;
  co_await fall_back_to_stdio(*current);
  up(SshVia::dial_stdio);
  co_await doubt.wait();
}

/// Answers false when streams are not forwarded.
async::task<bool> SshTunnel::Impl::hold_forward() {
  SshRun run{executor, current->way};
  run.start(current->start_forward());
  bool forwarded = true;
  auto held = co_await async::attempt(async::race(run.follow(), use_forward(run, forwarded)));
  if (held && !forwarded) co_return false;
  auto why = refined_ssh_error(held ? run.why_ended() : held.error(), run.log(), *current);
  note_key(run, why);
  throw Failure{std::move(why)};
}

void SshTunnel::Impl::note_key(const SshRun& run, const Error& why) {
  offered.reset();
  if (!why.code.starts_with("ssh_host_key_") || !run.log().key()) return;
  offered = run.log().key();
  offered->name = current->way[run.log().machine()].known_as;
}

async::task<void> SshTunnel::Impl::use_forward(SshRun& run, bool& forwarded) {
  while ((forwarded = co_await forwards(run, *current))) {
    if (state != State::up) up(SshVia::forward);
    // A stream that was refused may be the first of all: the engine was stopped, say.
    auto refused = run.log().refused_streams();
    while (run.log().refused_streams() == refused) co_await run.changed();
  }
  via.reset();
  set(State::connecting);
}

async::task<void> SshTunnel::Impl::settled() {
  while (state == State::connecting) co_await changed.wait();
}

Error SshTunnel::Impl::too_slow() const {
  return ssh_too_slow(plain_ssh_way(endpoint.hop(), settings), pace.patience);
}

SshPlace SshTunnel::Impl::take_place(std::size_t most) {
  if (*streams < most) return SshPlace{streams};
  throw Failure{
      {ErrorKind::exhausted, "ssh_too_many_streams",
       fmt::format("cannot open one more stream to '{}': {} are open", endpoint.text(), *streams),
       "end some: followed logs, terminals and statistics hold one each"}};
}

async::task<std::unique_ptr<Stream>> SshTunnel::Impl::connect() {
  if (!begun) {
    begun = true;
    scope.spawn("the SSH way to " + endpoint.text(), keep_up());
  } else if (state == State::stopped && !waits_for_somebody(*error) &&
             steady_now() - down_since >= pace.longest_retry) {
    retry();
  }
  auto waited =
      co_await async::attempt(async::with_deadline(pace.patience, "connecting by SSH", settled()));
  if (!waited) throw Failure{too_slow()};
  if (state != State::up) throw Failure{*error};
  if (via == SshVia::forward) co_return co_await dial_forward();
  co_return co_await dial_stdio();
}

async::task<std::unique_ptr<Stream>> SshTunnel::Impl::dial_forward() {
  auto place = take_place(pace.forward_streams_max);
  auto stream = co_await async::attempt(dial_socket(current->socket()));
  if (!stream) {
    throw Failure{
        {ErrorKind::unavailable, "ssh_broke",
         fmt::format("cannot reach '{}' by SSH: {}", endpoint.text(), stream.error().message),
         "it is being connected anew; try again"}};
  }
  co_return ssh_stream(std::move(*stream), std::move(place), {});
}

async::task<std::unique_ptr<Stream>> SshTunnel::Impl::dial_stdio() {
  auto place = take_place(pace.stdio_streams_max);
  auto pair = value_or_throw(stream_pair(executor));
  auto session = std::make_shared<StdioSession>(executor, current);
  session->run.start(current->start_stdio(pair.far.get()));
  pair.far.close();
  auto stream =
      ssh_stream(std::move(pair.near), std::move(place), [session] { session->stop.stop(); });
  scope.spawn("dial-stdio at " + endpoint.text(), carry(session));
  auto made = co_await async::attempt(async::with_deadline(
      pace.patience, "connecting by SSH", session->run.reached(SshLog::Stage::forward)));
  if (made) co_return stream;
  doubt.notify();
  bool slow = made.error().kind == ErrorKind::timed_out && !session->run.log().error();
  throw Failure{slow ? too_slow() : made.error()};
}

async::task<void> SshTunnel::Impl::carry(std::shared_ptr<StdioSession> session) {
  Ending ending{*session};
  auto carried = co_await async::attempt(async::race(session->run.follow(), session->stop.wait()));
  // It ended by itself, which is right after its stream did, and else a reason to look again.
  if (!carried || (!session->stop.stopped() && !session->run.clean())) doubt.notify();
}

async::task<void> SshTunnel::Impl::keep_running(std::string script, std::string& printed) {
  printed = co_await run_ssh_script(endpoint, settings, places, pace, std::move(script));
}

async::task<Result<std::string>> SshTunnel::Impl::run(std::string script) {
  bool in_vain = state == State::stopped && waits_for_somebody(*error);
  if (in_vain || state == State::closed) co_return fail(*error);
  if (runs == runs_max) {
    co_return fail(
        ErrorKind::exhausted, "ssh_too_many_runs",
        fmt::format("cannot look at '{}': {} looks are under way", endpoint.text(), runs),
        "try again when they are done");
  }
  Running running{*this};
  std::string printed;
  auto ended = co_await async::attempt(
      async::race(keep_running(std::move(script), printed), closing.wait()));
  if (!ended) co_return fail(std::move(ended.error()));
  if (*ended == async::Winner::second) co_return fail(*error);
  co_return printed;
}

SshTunnel::SshTunnel(async::Executor executor, Endpoint endpoint, SshSettings settings,
                     SshPlaces places, SshPace pace)
    : impl_{std::make_unique<Impl>(std::move(executor), std::move(endpoint), std::move(settings),
                                   std::move(places), pace)} {
  CHECK(impl_->endpoint.scheme() == Endpoint::Scheme::ssh);
}

SshTunnel::~SshTunnel() = default;

async::task<std::unique_ptr<Stream>> SshTunnel::connect() { return impl_->connect(); }

Connect SshTunnel::connector() {
  return [this] { return impl_->connect(); };
}

std::optional<SshVia> SshTunnel::via() const { return impl_->via; }

std::optional<Error> SshTunnel::error() const { return impl_->error; }

std::optional<SshHostKey> SshTunnel::offered() const { return impl_->offered; }

async::task<Result<std::string>> SshTunnel::run(std::string script) {
  return impl_->run(std::move(script));
}

async::task<SshReport> SshTunnel::probe() {
  return probe_ssh(impl_->endpoint, impl_->settings, impl_->places, impl_->pace);
}

async::task<Result<SshHostKey>> SshTunnel::trust(std::string fingerprint) {
  auto trusted = co_await async::attempt(trust_ssh(impl_->endpoint, impl_->settings, impl_->places,
                                                   impl_->pace, std::move(fingerprint)));
  if (trusted) {
    log::info("trusting the host key {} of '{}'", trusted->fingerprint, trusted->name);
    impl_->retry();
  }
  co_return trusted;
}

void SshTunnel::retry() { impl_->retry(); }

void SshTunnel::wake() {
  if (impl_->state == State::resting) impl_->retry();
}

async::task<void> SshTunnel::close() {
  impl_->error = Error{ErrorKind::unavailable,
                       "ssh_closed",
                       fmt::format("cannot reach '{}' by SSH: its connection has been closed",
                                   impl_->endpoint.text()),
                       {}};
  impl_->begun = true;
  impl_->via.reset();
  impl_->set(State::closed);
  impl_->closing.stop();
  co_await impl_->scope.close();
  while (impl_->runs > 0) co_await impl_->changed.wait();
  impl_->current.reset();
}

}  // namespace gantry::net
