#include "doctor/far.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "doctor/ask_engine.hpp"
#include "doctor/far_facts.hpp"
#include "doctor/far_script.hpp"
#include "engine/client.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

using Scheme = net::Endpoint::Scheme;

constexpr Milliseconds engine_patience{3'000};
constexpr Milliseconds far_patience{12'000};
constexpr const char* usual_data_root = "/var/lib/docker";

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

async::task<EngineFacts> facts_of(engine::Client& engine) {
  auto asked = co_await async::attempt(async::with_deadline(
      engine_patience, fmt::format("asking the engine on '{}'", engine.endpoint().text()),
      ask_engine(engine)));
  if (asked) co_return std::move(*asked);
  EngineFacts silent;
  silent.error = asked.error();
  co_return silent;
}

EngineFacts not_asked() {
  EngineFacts facts;
  facts.error =
      Error{ErrorKind::unavailable, std::string{engine_not_asked}, "it was not asked", {}};
  return facts;
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
/// the engine of the machine's root alone, and DOCKER_HOST may lead to quite another machine.
void leave_out(Facts& facts) {
  bool elsewhere =
      facts.usable_socket() == nullptr && !facts.engine.error && !facts.endpoint.there.empty();
  if (elsewhere) facts.socket.reset();
  bool its = facts.usable_socket() != nullptr && !facts.engine_is_outside() &&
             !facts.engine.error && !facts.engine.has_security("rootless");
  if (its) return;
  facts.logs_bounded.reset();
  facts.disk.reset();
}

}  // namespace

async::task<Facts> gather_engine_only(engine::Client& engine, net::Endpoint endpoint, Clock clock) {
  auto facts = begun(endpoint, clock);
  facts.unseen =
      fmt::format("this host is reached {}: its own files are not seen", way_of(endpoint.scheme()));
  facts.engine = co_await facts_of(engine);
  if (!facts.engine.name.empty()) facts.machine = facts.engine.name;
  co_return facts;
}

async::task<Result<Facts>> gather_far(Runner run, engine::Client* engine, net::Endpoint endpoint,
                                      Clock clock) {
  auto facts = begun(endpoint, clock);
  facts.engine = engine == nullptr ? not_asked() : co_await facts_of(*engine);
  auto data_root = facts.engine.data_root;
  if (!is_plain_path(data_root)) data_root = usual_data_root;
  auto seen = co_await async::attempt(
      async::with_deadline(far_patience, fmt::format("looking at '{}'", facts.place),
                           look_there(std::move(run), endpoint.path(), data_root)));
  if (!seen && engine == nullptr) co_return fail(std::move(seen.error()));
  if (!seen) {
    facts.unseen = seen.error().message;
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
