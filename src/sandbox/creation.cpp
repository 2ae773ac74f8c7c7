#include "sandbox/creation.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds create_max{30'000};
constexpr int names_tried_max = 64;

}  // namespace

async::task<Result<Lease>> create_leased(engine::Client& engine, Removal& removal,
                                         std::string label, SpecOf spec_of) {
  for (int tried = 0; tried < names_tried_max; ++tried) {
    auto lease = removal.lease(label);
    if (!lease) break;
    auto created = co_await async::attempt(async::with_deadline(
        create_max, "creating a sandbox",
        engine::create_container(engine, Slots::container_name(lease->user_id), spec_of(*lease))));
    if (created) {
      lease->container = created->id;
      co_return *lease;
    }
    removal.give_back(*lease);
    // A conflict means that another server on this engine has the slot: take the next.
    if (created.error().kind != ErrorKind::conflict) co_return fail(created.error());
  }
  co_return fail(ErrorKind::exhausted, "no_sandbox_slot",
                 "cannot start a sandbox: all user ids for sandboxes are taken on this engine",
                 "remove containers named gantry-sandbox-… that nobody uses");
}

async::task<Result<>> verify_as_asked(engine::Client& engine, std::string container,
                                      engine::ContainerSpec spec) {
  auto details = co_await engine::inspect_container(engine, container);
  if (!details) co_return fail(details.error());
  auto differences = engine::compare(spec, *details);
  if (differences.empty()) co_return ok;
  co_return fail(ErrorKind::unavailable, "sandbox_not_as_asked",
                 fmt::format("cannot start a sandbox: the engine changed it ({})",
                             text::shortened(engine::describe(differences), 400)),
                 "check the engine's defaults and plugins");
}

}  // namespace gantry::sandbox
