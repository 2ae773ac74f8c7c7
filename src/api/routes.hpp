#pragma once

#include "access/identity.hpp"
#include "api/call.hpp"
#include "api/reply.hpp"
#include "api/target.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gantry::api {

/// The least role that may call a route, as `x-role` in openapi.yaml. `any`: whoever is known;
/// `executor`: who may run programs, which all but viewers may.
enum class Least { open, any, executor, viewer, operator_, admin };
std::string_view word(Least least);
/// Whether somebody of this role may.
bool allows(Least least, access::Role role);

/// What a route reads from the request's body.
enum class Body {
  none,
  json,   ///< `application/json`, or 415
  other,  ///< its handler decides
};

/// Who may come in where no credential is sent.
enum class Anonymous {
  refused,
  when_configured,  ///< with `--anonymous-execute`, on loopback listeners
};

/// Whose pages may call a route.
enum class Origins {
  own,     ///< Ours.
  listed,  ///< Those of `allowed_origins`, too: with a token or anonymously, never by cookie.
};

/// Answers a call. An error becomes a problem document in the route's shape.
using Handler = async::task<Result<Reply>> (*)(Call& call);

/// One line of the API. There is no other way in: what is not in the table is a 404, but for the
/// console's files.
struct Route {
  std::string_view method;
  std::string_view path;  ///< `/api/v1/tokens/{id}`
  Least least;
  std::optional<access::Scope> scope;  ///< That a token needs; none: any token will do.
  Handler handler;
  Body body = Body::none;
  Bytes body_max{};
  Shape shape = Shape::problem;
  Anonymous anonymous = Anonymous::refused;
  Origins origins = Origins::own;
};

/// The whole table.
std::span<const Route> routes();

/// What the table says to a method and a path.
struct Match {
  const Route* route = nullptr;  ///< nullptr: no route has this method and this path
  std::string id;
  std::string part;
  std::string allow;               ///< The methods the path has; empty: no route has this path.
  Shape shape = Shape::problem;    ///< Of the path, for its 404 and 405,
  Origins origins = Origins::own;  ///< and for the questions that browsers ask beforehand.
};
Match find_route(std::string_view method, const Target& target);

}  // namespace gantry::api
