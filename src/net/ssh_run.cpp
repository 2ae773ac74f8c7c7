#include "net/ssh_run.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/random.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <signal.h>

namespace gantry::net {
namespace {

constexpr std::size_t line_max = 4'096;

std::vector<std::string> names_of(const SshWay& way) {
  std::vector<std::string> names;
  for (const auto& machine : way) names.push_back(machine.hop.text());
  return names;
}

std::vector<std::string> known_names_of(const SshWay& way) {
  std::vector<std::string> names;
  for (const auto& machine : way) names.push_back(machine.known_as);
  return names;
}

/// Should we be killed, the kernel ends our OpenSSH too: what it forwards is all power there.
std::vector<std::string> dying_with_us(std::vector<std::string> argv) {
  std::vector<std::string> all{"setpriv", "--pdeathsig", "KILL", "--"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

async::Process started(const async::Executor& executor, async::ProcessSpec spec) {
  auto plain = spec.argv;
  spec.argv = dying_with_us(plain);
  auto process = async::Process::start(executor, spec);
  if (process) return std::move(*process);
  spec.argv = std::move(plain);  // a system without setpriv
  process = async::Process::start(executor, spec);
  if (process) return std::move(*process);
  throw Failure{{ErrorKind::unavailable, "ssh_missing", process.error().message,
                 "install the package 'openssh-client'"}};
}

}  // namespace

SshRun::SshRun(const async::Executor& executor, const SshWay& way)
    : executor_{executor}, log_{names_of(way)}, changed_{executor}, since_{steady_now()} {}

SshRun::~SshRun() { end(); }

void SshRun::start(const SshStart& how) {
  auto files = how.room.config_files();
  if (how.room.answers() == SshAnswers::given) {
    questions_ = std::make_unique<SshQuestions>(
        executor_, how.room.file("q-" + random::word(6)),
        SshQuestions::Answers{files.identity, known_names_of(how.way), how.settings.passphrase,
                              how.settings.password});
  }
  key_.emplace(how.room.lend_key());
  std::vector<std::string> argv{how.places.ssh};
  argv.insert(argv.end(), how.arguments.begin(), how.arguments.end());
  auto question = questions_ ? questions_->socket() : std::string{};
  since_ = steady_now();
  process_.emplace(started(executor_, {.argv = std::move(argv),
                                       .env = ssh_environment(how.places, question),
                                       .input_output = how.input_output}));
}

async::task<void> SshRun::follow() {
  if (questions_) {
    co_await async::with_companion(listen(), questions_->serve());
  } else {
    co_await listen();
  }
}

async::task<void> SshRun::listen() {
  char piece[4'096];
  while (auto count = co_await process_->read_some(piece)) hear({piece, count});
  if (!line_.empty()) log_.line(line_);
  process_->kill(SIGKILL);  // it has closed its output, so it has nothing left to do
  status_ = co_await process_->wait();
  spend(log_.stage());
  take_back();
  changed_.notify();
}

void SshRun::hear(std::string_view bytes) {
  for (char c : bytes) {
    if (c != '\n') {
      if (line_.size() < line_max) line_ += c;
      continue;
    }
    auto stage = log_.stage();
    auto machine = log_.machine();
    log_.line(line_);
    line_.clear();
    if (stage != log_.stage() || machine != log_.machine()) spend(stage);
  }
  if (log_.reached(SshLog::Stage::forward)) take_back();
  changed_.notify();
}

void SshRun::spend(SshLog::Stage stage) {
  auto now = steady_now();
  spent_[static_cast<std::size_t>(stage)] += std::chrono::duration_cast<Milliseconds>(now - since_);
  since_ = now;
}

void SshRun::take_back() {
  key_.reset();
  if (questions_) questions_->stop();
}

Milliseconds SshRun::spent(SshLog::Stage stage) const {
  return spent_[static_cast<std::size_t>(stage)];
}

async::task<void> SshRun::reached(SshLog::Stage stage) {
  while (!log_.reached(stage)) {
    if (ended()) throw Failure{why_ended()};
    co_await changed_.wait();
  }
}

async::task<void> SshRun::changed() { return changed_.wait(); }

void SshRun::end() {
  process_.reset();
  take_back();
  if (!status_) status_ = async::ExitStatus{.signal = SIGKILL};
  changed_.notify();
}

async::task<SshLog> run_ssh_until(SshStart start, SshLog::Stage stage, Milliseconds patience) {
  SshRun run{co_await boost::asio::this_coro::executor, start.way};
  run.start(start);
  auto work = async::race(run.follow(), run.reached(stage));
  auto ran =
      co_await async::attempt(async::with_deadline(patience, "connecting by SSH", std::move(work)));
  if (!ran && ran.error().kind == ErrorKind::timed_out && !run.log().error()) {
    throw Failure{ssh_too_slow(start.way, patience)};
  }
  if (!ran) throw Failure{ran.error()};
  if (!run.log().reached(stage)) throw Failure{run.why_ended()};
  co_return run.log();
}

Error ssh_too_slow(const SshWay& way, Milliseconds patience) {
  return {ErrorKind::timed_out, "ssh_timed_out",
          fmt::format("cannot reach '{}' by SSH: no answer within {} ms", way.back().hop.text(),
                      patience.count()),
          "check the address, the port and the network between"};
}

}  // namespace gantry::net
