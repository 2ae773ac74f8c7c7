#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/hosts_json.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"
#include "fleet/query.hpp"

#include <fmt/format.h>

// The hosts: what is configured about them, how they are, and whether the way to them works.
namespace gantry::api {
namespace {

constexpr Milliseconds probe_max{120'000};

Result<std::string> read_fingerprint(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  auto fingerprint = fields.required_text("fingerprint", {1, 128});
  if (auto read = fields.finish(); !read) return fail(read.error());
  return fingerprint;
}

}  // namespace

Answer list_hosts(Call& call) {
  auto group = call.query.text("group");
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto rights = call.rights();
  json::Array items;
  for (const auto& host : call.services.fleet.hosts()) {
    const auto& config = host->config();
    fleet::Sight sight{rights, config};
    if (!sight.host() || (group && !sight.knows_group(*group))) continue;
    items.push_back(host_json(*host, rights));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer get_host(Call& call) {
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  co_return json_reply(200, host_json(**host, call.rights()));
}

Answer create_host(Call& call) {
  auto wish = co_await read_json(call, &read_host_wish);
  if (!wish) co_return fail(std::move(wish.error()));
  auto by = fleet::actor_of(*call.identity);
  auto host = co_await call.services.fleet.add(std::move(by), std::move(*wish));
  if (!host) co_return fail(std::move(host.error()));
  co_return json_reply(201, host_json(**host, call.rights()));
}

Answer change_host(Call& call) {
  auto wish = co_await read_json(call, &read_host_wish);
  if (!wish) co_return fail(std::move(wish.error()));
  auto by = fleet::actor_of(*call.identity);
  auto host = co_await call.services.fleet.change(std::move(by), call.id, std::move(*wish));
  if (!host) co_return fail(std::move(host.error()));
  co_return json_reply(200, host_json(**host, call.rights()));
}

Answer remove_host(Call& call) {
  auto removed = co_await call.services.fleet.remove(fleet::actor_of(*call.identity), call.id);
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

Answer test_host(Call& call) {
  auto probe = co_await unless_abandoned(
      call, async::attempt(async::with_deadline(probe_max, fmt::format("testing '{}'", call.id),
                                                call.services.fleet.probe(call.id))));
  if (!probe) co_return answered_already();
  if (!*probe) co_return fail(std::move(probe->error()));
  co_return json_reply(200, probe_json(**probe));
}

Answer trust_host(Call& call) {
  auto fingerprint = co_await read_json(call, &read_fingerprint);
  if (!fingerprint) co_return fail(std::move(fingerprint.error()));
  auto key = co_await call.services.fleet.trust(fleet::actor_of(*call.identity), call.id,
                                                std::move(*fingerprint));
  if (!key) co_return fail(std::move(key.error()));
  co_return json_reply(200, json::Object{{"host", call.id},
                                         {"name", key->name},
                                         {"type", key->type},
                                         {"fingerprint", key->fingerprint}});
}

}  // namespace gantry::api
