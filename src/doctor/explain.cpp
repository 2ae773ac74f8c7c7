#include "doctor/explain.hpp"

#include "async/aside.hpp"
#include "async/attempt.hpp"
#include "async/event.hpp"
#include "async/finally.hpp"
#include "base/text.hpp"
#include "doctor/access_facts.hpp"
#include "doctor/accounts.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::doctor {
namespace {

constexpr Milliseconds kept{5'000};
/// On a far machine, where each look is a login.
constexpr Milliseconds kept_far{60'000};
/// After a look that did not come back: each takes as long as `patience` from whoever asks.
constexpr Milliseconds rest_after_silence{60'000};
constexpr Milliseconds patience{1'500};
constexpr std::size_t cause_max = 500;
/// Commands are not cut short.
constexpr std::size_t remedy_max = 2'000;
/// In a setting, or as that of a host.
constexpr const char* chosen_by_gantry = "Gantry's setting";
constexpr std::string_view engine_row = "engine";

/// What a dialler's code says about the way.
struct Trouble {
  enum class Is : std::uint8_t { no_access, no_engine };

  std::string_view code;
  Is is;
};
constexpr std::array troubles{Trouble{"socket_permission", Trouble::Is::no_access},
                              Trouble{"socket_missing", Trouble::Is::no_access},
                              Trouble{"not_a_socket", Trouble::Is::no_access},
                              Trouble{"not_listening", Trouble::Is::no_engine},
                              Trouble{"ssh_remote_socket_permission", Trouble::Is::no_access},
                              Trouble{"ssh_remote_socket_missing", Trouble::Is::no_access},
                              Trouble{"ssh_remote_engine_down", Trouble::Is::no_engine}};

const Trouble* trouble_of(const Error& error) {
  const auto* found = std::ranges::find(troubles, error.code, &Trouble::code);
  return found == troubles.end() ? nullptr : found;
}

/// A command as part of a sentence; what has quotes of its own stands between others.
std::string quoted(const std::string& command) {
  char quote = command.contains('\'') ? '`' : '\'';
  return fmt::format("{0}{1}{0}", quote, command);
}

/// `start it: 'sudo systemctl start docker'; …`
std::string in_one_line(const std::vector<Step>& remedy) {
  std::vector<std::string> parts;
  for (const auto& [what, command] : remedy) {
    parts.push_back(command.empty() ? what : fmt::format("{}: {}", what, quoted(command)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

struct Diagnosis {
  std::string cause;  ///< Empty: that of the dialler.
  std::string remedy;
};

Diagnosis diagnosis_of(const Finding& finding) {
  return {.cause = finding.summary, .remedy = in_one_line(finding.remedy)};
}

/// The table's rows before the engine's tell who may use the socket.
const Finding* why_no_access(const Report& report) {
  for (const auto& [check, finding] : report.results) {
    if (check->id == engine_row) return nullptr;
    if (finding.state == State::failed) return &finding;
  }
  return nullptr;
}

/// File and groups allow it, and it is refused all the same.
std::optional<Diagnosis> of_confinement(const Report& report) {
  const auto& finding = report.finding("confinement");
  if (finding.state < State::note && report.facts.apparmor.empty()) return std::nullopt;
  auto out = diagnosis_of(finding);
  out.cause = "permission denied, although file and groups allow it; " + out.cause;
  return out;
}

/// Who may not use the socket would not have heard that nobody listens.
Diagnosis of_engine(const Report& report) {
  return {.cause = {}, .remedy = in_one_line(report.finding(engine_row).remedy)};
}

std::optional<Diagnosis> diagnosis_of(const Error& error, Facts facts) {
  const auto* trouble = trouble_of(error);
  if (trouble == nullptr) return std::nullopt;
  bool no_engine = trouble->is == Trouble::Is::no_engine;
  if (no_engine) {
    facts.engine.error = Error{ErrorKind::unavailable, "engine_not_running", error.message, {}};
  }
  auto report = examine(std::move(facts));
  if (no_engine) return of_engine(report);
  if (const auto* finding = why_no_access(report)) return diagnosis_of(*finding);
  if (!error.code.ends_with("socket_permission")) return std::nullopt;
  return of_confinement(report);
}

Facts facts_here(const net::Endpoint& endpoint, Subject::Kind who) {
  Facts facts;
  facts.subject = this_process(who);
  facts.endpoint.source = chosen_by_gantry;
  facts.endpoint.text = endpoint.text();
  look_at_access(facts, {});
  return facts;
}

/// Aside: accounts may be asked from a directory on the network.
async::task<Result<Facts>> look_here(net::Endpoint endpoint, Subject::Kind who) {
  co_return co_await async::aside(patience, fmt::format("looking at '{}'", endpoint.text()),
                                  [endpoint, who] { return facts_here(endpoint, who); });
}

struct Look {
  std::function<async::task<Result<Facts>>()> at;
  Milliseconds kept;  ///< How long what it found is taken to be still so.
};

/// Looks when an error is new or some time old; who asks meanwhile waits for the same answer. A
/// look that was given up, or whose caller went away, is not begun anew at once.
class Explainer {
 public:
  Explainer(const async::Executor& executor, Look look, Clock clock)
      : look_{std::move(look)}, clock_{std::move(clock)}, looked_{executor} {}

  async::task<Error> explain(Error error) {
    if (trouble_of(error) == nullptr) co_return error;
    while (looking_) co_await looked_.wait();
    if (is_known(error)) co_return known_->after;
    if (unanswered_ && is_within(unanswered_->at, unanswered_->rest)) co_return error;
    looking_ = true;
    unanswered_ = Unanswered{.at = clock_.now(), .rest = look_.kept};
    co_return co_await async::finally(find_out(std::move(error)), end_looking());
  }

 private:
  struct Known {
    Error before;
    Error after;
    WallTime at;
  };

  struct Unanswered {
    WallTime at;
    Milliseconds rest;
  };

  bool is_within(WallTime at, Milliseconds limit) const {
    auto age = clock_.now() - at;
    return age >= Milliseconds{0} && age < limit;
  }

  bool is_known(const Error& error) const {
    return known_ && known_->before == error && is_within(known_->at, look_.kept);
  }

  async::task<Error> find_out(Error error) {
    auto facts = co_await async::attempt(look_.at());
    bool hangs = !facts && (facts.error().kind == ErrorKind::timed_out ||
                            facts.error().kind == ErrorKind::exhausted);
    unanswered_.reset();
    if (hangs) unanswered_ = Unanswered{.at = clock_.now(), .rest = rest_after_silence};
    auto after = facts ? diagnosed(error, *facts) : error;
    known_ = Known{std::move(error), after, clock_.now()};
    co_return after;
  }

  async::task<void> end_looking() {
    looking_ = false;
    looked_.notify();
    co_return;
  }

  Look look_;
  Clock clock_;
  std::optional<Known> known_;
  std::optional<Unanswered> unanswered_;  ///< A look that began and has not come to an end.
  bool looking_ = false;
  async::Event looked_;
};

async::task<std::unique_ptr<net::Stream>> dial(net::Connect connect,
                                               std::shared_ptr<Explainer> explainer) {
  auto stream = co_await async::attempt(connect());
  if (stream) co_return std::move(*stream);
  throw Failure{co_await explainer->explain(std::move(stream.error()))};
}

Explaining explaining_by(const async::Executor& executor, Look look, Clock clock) {
  // Of the diallers, and of everybody who is dialling when they go.
  auto explainer = std::make_shared<Explainer>(executor, std::move(look), std::move(clock));
  return [explainer](net::Connect connect) -> net::Connect {
    return [connect = std::move(connect), explainer] { return dial(connect, explainer); };
  };
}

}  // namespace

Explaining explaining(async::Executor executor, net::Endpoint endpoint, Clock clock,
                      Subject::Kind who) {
  if (endpoint.scheme() != net::Endpoint::Scheme::unix_socket) {
    return [](net::Connect connect) { return connect; };
  }
  auto at = [endpoint = std::move(endpoint), who] { return look_here(endpoint, who); };
  return explaining_by(executor, {.at = std::move(at), .kept = kept}, std::move(clock));
}

net::Connect explained(async::Executor executor, net::Connect connect, net::Endpoint endpoint,
                       Clock clock, Subject::Kind who) {
  return explaining(std::move(executor), std::move(endpoint), std::move(clock),
                    who)(std::move(connect));
}

Explaining explaining_far(async::Executor executor, net::Endpoint endpoint, Runner run,
                          Clock clock) {
  auto at = [run = std::move(run), endpoint = std::move(endpoint), clock] {
    return gather_far(run, nullptr, endpoint, clock);
  };
  return explaining_by(executor, {.at = std::move(at), .kept = kept_far}, std::move(clock));
}

Error diagnosed(Error error, const Facts& facts) {
  auto found = diagnosis_of(error, facts);
  if (!found) return error;
  auto bounded = [](const std::string& words, std::size_t most) {
    return text::shortened(text::one_line(words), most);
  };
  if (!found->cause.empty()) {
    // `cannot connect to '…': <cause>`, and no cause of a dialler's has a colon.
    auto cause = error.message.rfind(": ");
    if (cause != error.message.npos) error.message.erase(cause);
    error.message += ": " + bounded(found->cause, cause_max);
  }
  if (!found->remedy.empty()) error.remedy = bounded(found->remedy, remedy_max);
  return error;
}

}  // namespace gantry::doctor
