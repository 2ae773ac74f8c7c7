#include "monitor/doctors.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "doctor/far.hpp"
#include "monitor/report_store.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace gantry::monitor {
namespace {

using Scheme = net::Endpoint::Scheme;

/// So many hosts at once: each may start programs.
constexpr std::size_t examinations_max = 16;

Error cannot_examine(const fleet::Host& host, ErrorKind kind, std::string code,
                     std::string_view cause, std::string remedy) {
  return {kind, std::move(code), fmt::format("cannot examine host '{}': {}", host.name(), cause),
          std::move(remedy)};
}

/// Why there is no way to a host by SSH, as far as that is known; nothing: there is one.
std::optional<Error> why_away(const fleet::Host& host) {
  if (!host.via().empty()) return std::nullopt;
  if (host.view().error) return host.view().error;
  return Error{ErrorKind::unavailable, std::string{doctor::way_is_made},
               fmt::format("cannot reach '{}' by SSH: the way is still being made",
                           host.config().endpoint.text()),
               "ask again in a moment"};
}

/// What the next report is compared with.
KeptReport kept_after(const std::optional<KeptReport>& before, KeptReport now) {
  if (!before) return now;
  now.outcomes = last_seen(before->outcomes, std::move(now.outcomes));
  if (differences(before->outcomes, now.outcomes).empty()) now.at = before->at;
  return now;
}

/// How a host is reached, in words: other ones may lead to another machine or account.
std::string way_to(const fleet::Host& host) {
  auto way = host.config().endpoint.text();
  if (host.config().endpoint.scheme() != Scheme::ssh) return way;
  const auto& ssh = host.reach().ssh;
  for (const auto& hop : ssh.jumps) way += " by " + hop.text();
  if (ssh.config == net::SshSettings::UserConfig::read) way += " as configured";
  return way;
}

}  // namespace

/// One examination, from its beginning to its answer.
struct Doctors::Underway {
  std::shared_ptr<fleet::Host> host;
  async::Event over;
  std::optional<Result<Examination>> answer = {};
  std::size_t waiting = 0;  ///< Callers who are there yet.
};

/// Sees to it that those who wait are answered, however the examination ends.
class Doctors::Ending {
 public:
  Ending(Doctors& doctors, std::shared_ptr<Underway> underway)
      : doctors_{doctors}, underway_{std::move(underway)} {}
  Ending(Ending&&) = default;
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;
  Ending& operator=(Ending&&) = delete;
  ~Ending() {
    if (!underway_) return;
    const auto& host = *underway_->host;
    if (!underway_->answer) {
      underway_->answer = fail(cannot_examine(host, ErrorKind::unavailable, "server_stopping",
                                              "the server is being stopped", "try again later"));
    }
    doctors_.underway_.erase(&host);
    underway_->over.notify();
  }

  const Underway& underway() const { return *underway_; }
  void answer(Result<Examination> answer) { underway_->answer = std::move(answer); }

 private:
  Doctors& doctors_;
  std::shared_ptr<Underway> underway_;
};

Doctors::Doctors(async::Executor executor, storage::Database& database, fleet::Fleet& fleet,
                 Settings settings)
    : executor_{executor},
      database_{database},
      fleet_{fleet},
      settings_{std::move(settings)},
      scope_{std::move(executor)} {}

async::task<void> Doctors::start() {
  co_await report_store::migrate(database_);
  co_await storage::transact(database_, [hosts = hosts_there()](storage::Transaction& transaction) {
    report_store::keep_only(transaction, hosts);
  });
}

async::task<void> Doctors::close() {
  closing_ = true;
  co_await scope_.close();
}

async::task<Result<Examination>> Doctors::examine(std::shared_ptr<fleet::Host> host) {
  if (!host->config().enabled()) {
    co_return fail(cannot_examine(*host, ErrorKind::conflict, "host_disabled", "it is disabled",
                                  "an administrator can enable it"));
  }
  if (closing_) {
    co_return fail(cannot_examine(*host, ErrorKind::unavailable, "server_stopping",
                                  "the server is being stopped", "try again later"));
  }
  if (const auto* known = recent(host)) co_return *known;
  auto found = underway_.find(host.get());
  if (found == underway_.end() && underway_.size() >= examinations_max) {
    co_return fail(cannot_examine(*host, ErrorKind::exhausted, "too_many_examinations",
                                  fmt::format("{} others are under way", underway_.size()),
                                  "try again when they are done"));
  }
  auto underway = found == underway_.end() ? begin(host) : found->second;
  Counted waiting{underway->waiting};
  while (!underway->answer) co_await underway->over.wait();
  co_return *underway->answer;
}

std::shared_ptr<Doctors::Underway> Doctors::begin(std::shared_ptr<fleet::Host> host) {
  auto underway = std::make_shared<Underway>(Underway{host, async::Event{executor_}});
  underway_[host.get()] = underway;
  scope_.spawn(fmt::format("examination of '{}'", host->name()),
               carry_out(Ending{*this, underway}));
  return underway;
}

async::task<void> Doctors::carry_out(Ending ending) {
  auto host = ending.underway().host;
  auto facts = co_await async::attempt(
      async::with_deadline(settings_.patience, "it", look_until_ended(host)));
  if (!facts && facts.error().code == "timed_out") {
    ending.answer(fail(cannot_examine(
        *host, ErrorKind::timed_out, "timed_out",
        fmt::format("it took longer than {} ms", settings_.patience.count()),
        "ask again in a moment; an administrator can try the way to it: 'gantry hosts test'")));
    co_return;
  }
  if (!facts) {
    ending.answer(fail(std::move(facts.error())));
    co_return;
  }
  Examination examination{.report = doctor::examine(std::move(*facts)), .since = {}, .changes = {}};
  // The report is worth telling also where it can not be kept: the disk may be full.
  auto kept = co_await async::attempt(compare_and_keep(ending.underway(), examination));
  if (!kept)
    log::warn("cannot keep the report on host '{}': {}", host->name(), kept.error().message);
  remember(host, examination);
  ending.answer(std::move(examination));
}

async::task<Result<doctor::Facts>> Doctors::look_until_ended(std::shared_ptr<fleet::Host> host) {
  std::optional<Result<doctor::Facts>> facts;
  if (!host->ended()) {
    co_await async::race(async::detail::keep(look(host), facts), host->until_ended());
  }
  if (!facts || host->ended()) {
    co_return fail(cannot_examine(*host, ErrorKind::conflict, "host_ended",
                                  "it was changed or removed meanwhile", "ask again"));
  }
  co_return std::move(*facts);
}

async::task<Result<doctor::Facts>> Doctors::look(std::shared_ptr<fleet::Host> host) {
  if (settings_.look) co_return co_await settings_.look(host);
  auto endpoint = host->config().endpoint;
  auto away = why_away(*host);
  host->try_again();  // else its engine would repeat why it could not be reached
  switch (endpoint.scheme()) {
    case Scheme::unix_socket: {
      doctor::Question question;
      question.endpoint = endpoint.text();
      question.kind = doctor::Subject::Kind::server;
      auto facts = co_await doctor::gather(executor_, std::move(question), settings_.environment);
      if (facts) facts->endpoint.source = "the host's setting";
      co_return facts;
    }
    case Scheme::ssh: {
      auto run = [host](std::string script) { return host->run_there(std::move(script)); };
      co_return co_await doctor::gather_far(std::move(run), &host->engine(), std::move(endpoint),
                                            settings_.clock, std::move(away));
    }
    case Scheme::tcp:
    case Scheme::tls:
      break;
  }
  co_return co_await doctor::gather_engine_only(host->engine(), std::move(endpoint),
                                                settings_.clock);
}

async::task<void> Doctors::compare_and_keep(const Underway& underway, Examination& examination) {
  auto id = underway.host->config().id;
  auto hosts = hosts_there();
  bool waited_for = underway.waiting > 0;
  KeptReport now{.at = examination.report.facts.at,
                 .way = way_to(*underway.host),
                 .outcomes = outcomes_of(examination.report)};
  auto before = co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    auto kept = report_store::find(transaction, id);
    if (kept && kept->way != now.way) kept.reset();
    if (waited_for) report_store::put(transaction, id, kept_after(kept, now));
    report_store::keep_only(transaction, hosts);
    return kept;
  });
  if (!before) co_return;
  examination.since = before->at;
  examination.changes = differences(before->outcomes, last_seen(before->outcomes, now.outcomes));
}

bool Doctors::is_fresh(const Recent& one) const {
  auto age = settings_.clock.now() - one.at;
  return age >= Milliseconds{0} && age < settings_.fresh;
}

const Examination* Doctors::recent(const std::shared_ptr<fleet::Host>& host) const {
  auto found = std::ranges::find_if(
      recent_, [&](const Recent& one) { return one.host.lock() == host && is_fresh(one); });
  return found == recent_.end() ? nullptr : &found->examination;
}

void Doctors::remember(const std::shared_ptr<fleet::Host>& host, const Examination& examination) {
  std::erase_if(recent_,
                [&](const Recent& one) { return one.host.lock() == host || !is_fresh(one); });
  recent_.push_back({.host = host, .at = settings_.clock.now(), .examination = examination});
}

std::vector<fleet::HostId> Doctors::hosts_there() const {
  std::vector<fleet::HostId> hosts;
  for (const auto& host : fleet_.hosts()) hosts.push_back(host->config().id);
  return hosts;
}

}  // namespace gantry::monitor
