#include "doctor/far.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "doctor/ask_engine.hpp"
#include "doctor/far_facts.hpp"
#include "doctor/far_script.hpp"
#include "doctor/usual.hpp"
#include "engine/client.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

using Scheme = net::Endpoint::Scheme;

constexpr Milliseconds engine_patience{3'000};
constexpr Milliseconds far_patience{12'000};
/// For all of it; the second time that the engine is asked has what is left, within these bounds.
constexpr Milliseconds whole_patience{18'000};
constexpr Milliseconds longest_second{5'000};

std::string_view way_of(Scheme scheme) {
  switch (scheme) {
    case Scheme::unix_socket:
      return "by a socket";
    case Scheme::tcp:
      return "over TCP";
    case Scheme::tls:
      return "over TLS";
    case Scheme::ssh:
      return "over SSH";
  }
  return "";
}

/// What is known before anybody was asked.
Facts begun(const net::Endpoint& endpoint, const Clock& clock) {
  Facts facts;
  facts.at = clock.now();
  facts.sight = Sight::engine;
  facts.place = endpoint.host().empty() ? endpoint.text() : endpoint.host();
  facts.machine = facts.place;
  facts.endpoint.source = "the host's setting";
  facts.endpoint.text = endpoint.text();
  return facts;
}

EngineFacts silent(Error why) {
  EngineFacts facts;
  facts.error = std::move(why);
  return facts;
}

async::task<EngineFacts> facts_of(engine::Client& engine, Milliseconds patience) {
  auto asked = co_await async::attempt(async::with_deadline(
      patience, fmt::format("asking the engine on '{}'", engine.endpoint().text()),
      ask_engine(engine)));
  co_return asked ? std::move(*asked) : silent(std::move(asked.error()));
}

/// Of the engine, before the machine is looked at.
async::task<EngineFacts> first_word(engine::Client* engine, const std::optional<Error>& away) {
  if (engine == nullptr) {
    co_return silent(
        {ErrorKind::unavailable, std::string{engine_not_asked}, "it was not asked", {}});
  }
  if (away) co_return silent(*away);
  co_return co_await facts_of(*engine, engine_patience);
}

bool took_too_long(const EngineFacts& engine) {
  return engine.error && engine.error->code == "timed_out";
}

/// Once more, now that the way had time to be made; where it is silent again, what was known says
/// more than that.
async::task<EngineFacts> second_word(engine::Client& engine, EngineFacts first, SteadyTime begin) {
  auto took = std::chrono::duration_cast<Milliseconds>(steady_now() - begin);
  auto patience = std::clamp(whole_patience - took, engine_patience, longest_second);
  auto facts = co_await facts_of(engine, patience);
  if (took_too_long(facts)) co_return first;
  co_return facts;
}

/// Whether nobody knows more of the engine than that the way to it is silent.
bool is_silent(const EngineFacts& engine) {
  return took_too_long(engine) || (engine.error && engine.error->code == way_is_made);
}

/// Why nobody gets there, by why nothing was run there.
Error no_way(const Error& error) {
  if (error.code != "timed_out") return error;
  return {ErrorKind::unavailable, "ssh_timed_out", error.message,
          "see whether that machine is up, and whether its SSH server answers"};
}

/// In the words of every row that could not be seen: once is enough for what the engine's says.
std::string why_unseen(const Error& error, const EngineFacts& engine) {
  bool told = engine.error && engine.error->message.contains(error.message);
  return told ? "this host is not reached: the row of its engine tells why" : error.message;
}

async::task<Result<Facts>> look_there(Runner run, std::string socket, std::string data_root) {
  auto said = co_await run(far_script(socket, data_root));
  if (!said) co_return fail(std::move(said.error()));
  auto facts = read_far_facts(*said);
  if (!facts) co_return facts;
  if (!socket.empty() && facts->socket->path != socket) {
    co_return fail(ErrorKind::unavailable, "far_facts_unreadable",
                   "cannot read what the far machine tells of itself: it tells of another socket",
                   "see what answers there in the place of 'sh'");
  }
  if (facts->disk) facts->disk->path = data_root;
  co_return facts;
}

/// Leaves out what is seen there and is not the engine's that answers: settings and disk belong to
/// the engine of the machine's root alone. DOCKER_HOST may lead to quite another machine, and so
/// may a socket (Docker Desktop's, one that is passed on).
void leave_out(Facts& facts) {
  bool elsewhere =
      facts.usable_socket() == nullptr && !facts.engine.error && !facts.endpoint.there.empty();
  if (elsewhere) facts.socket.reset();
  bool moved =
      facts.disk && !facts.engine.data_root.empty() && facts.disk->path != facts.engine.data_root;
  if (moved) facts.disk.reset();
  bool its = facts.engine_is_here() && !facts.engine.has_security("rootless");
  if (its) return;
  facts.logs_bounded.reset();
  facts.disk.reset();
}

}  // namespace

async::task<Facts> gather_engine_only(engine::Client& engine, net::Endpoint endpoint, Clock clock) {
  auto facts = begun(endpoint, clock);
  facts.unseen =
      fmt::format("this host is reached {}: its own files are not seen", way_of(endpoint.scheme()));
  facts.engine = co_await facts_of(engine, engine_patience);
  if (!facts.engine.name.empty()) facts.machine = facts.engine.name;
  co_return facts;
}

async::task<Result<Facts>> gather_far(Runner run, engine::Client* engine, net::Endpoint endpoint,
                                      Clock clock, std::optional<Error> away) {
  auto begin = steady_now();
  auto facts = begun(endpoint, clock);
  facts.engine = co_await first_word(engine, away);
  auto data_root = facts.engine.data_root;
  if (!is_plain_path(data_root)) data_root = usual_data_root;
  auto seen = co_await async::attempt(
      async::with_deadline(far_patience, fmt::format("looking at '{}'", facts.place),
                           look_there(std::move(run), endpoint.path(), data_root)));
  if (!seen && engine == nullptr) co_return fail(std::move(seen.error()));
  if (engine != nullptr && (away || took_too_long(facts.engine))) {
    facts.engine = co_await second_word(*engine, std::move(facts.engine), begin);
  }
  if (!seen) {
    bool let_in = seen.error().code == "ssh_commands_refused";
    if (is_silent(facts.engine) && !let_in) facts.engine.error = no_way(seen.error());
    facts.unseen = why_unseen(seen.error(), facts.engine);
    if (!facts.engine.name.empty()) facts.machine = facts.engine.name;
    co_return facts;
  }
  // A path in the endpoint overrules it.
  if (endpoint.path().empty()) facts.endpoint.there = std::move(seen->endpoint.there);
  seen->at = facts.at;
  seen->place = std::move(facts.place);
  seen->endpoint = std::move(facts.endpoint);
  seen->engine = std::move(facts.engine);
  leave_out(*seen);
  co_return std::move(*seen);
}

}  // namespace gantry::doctor
