#pragma once

#include "access/rights.hpp"
#include "api/call.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "executions/record.hpp"
#include "fleet/host.hpp"

#include <memory>
#include <string>
#include <string_view>

/// The one way from a request to a host and what is on it: what somebody may not see does not exist
/// for them (not_found), what they see and may not do is refused (denied, `role_missing`).
namespace gantry::api {

/// The host `name` for somebody who may do as much as `needed` on it: with an empty `project` on
/// the host as a whole. Refused: `no_such_host`, `role_missing`.
Result<std::shared_ptr<fleet::Host>> host_for(Call& call, std::string_view name,
                                              access::Role needed, std::string_view project = {});
/// The host of `{id}` in the route.
Result<std::shared_ptr<fleet::Host>> host_for(Call& call, access::Role needed,
                                              std::string_view project = {});
/// The host `name` for somebody who knows that it is there, be it for one project on it.
Result<std::shared_ptr<fleet::Host>> visible_host(Call& call, std::string_view name);

/// What somebody may do there now; nothing: it does not exist for them. For streams, which outlive
/// the request: ask again at every telling.
std::optional<access::Role> role_on(const Call& call, const fleet::Host& host,
                                    std::string_view project);

/// What somebody is told of a failure on the host `name`: how its engine is reached, and why it can
/// not be, is for those who see the host as a whole; all others learn its code. An empty name, or
/// one of no host: of whichever engine it was.
Error told_error(const Call& call, std::string_view name, Error error);

/// The same of what an execution says (`message` of its outcome, empty: none): what it ran on is
/// the server's own engine. All who are told of an execution are told this, in whatever protocol.
std::string told_message(const Call& call, const executions::Record& record);

/// A container that somebody may do something to.
struct FoundContainer {
  std::shared_ptr<fleet::Host> host;
  std::string id;  ///< Whole: a name may be another's in a moment.
  std::string name;
  std::string project;  ///< Empty: none.
};

/// The container that `reference` (an id, at least 12 digits of it, or a name) means on the host
/// `host`, for somebody who may do as much as `needed` to it. Looks at what the link knows, and
/// asks the engine about what it does not know yet. Our own sandboxes are not found. Refused:
/// `no_such_host`, `no_such_container`, `role_missing`, or what the engine says.
async::task<Result<FoundContainer>> find_container(Call& call, std::string host,
                                                   std::string reference, access::Role needed);
/// The container of `{id}` and the second variable in the route.
async::task<Result<FoundContainer>> container_for(Call& call, access::Role needed);

/// Whether they may read what is masked in it.
bool may_unmask(const Call& call, const FoundContainer& container);

}  // namespace gantry::api
