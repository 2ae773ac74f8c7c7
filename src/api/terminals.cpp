#include "api/exec_place.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/terminals_json.hpp"

#include <fmt/format.h>

// Terminals: opened, listed, joined and ended here; what is typed and shown goes over the WebSocket
// in terminals_socket.cpp.
namespace gantry::api {
namespace {

constexpr std::size_t arguments_max = 256;
constexpr json::TextBounds argument_bounds{0, 64U << 10U};

Result<fleet::TerminalWish> read_wish(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  fleet::TerminalWish wish;
  if (auto shell = fields.text("shell", {1, 255})) {
    if (!valid_program(*shell)) {
      fields.refuse("shell", "must be a program's name or path: letters, digits and '_./+-'");
    }
    wish.shell = std::move(*shell);
  }
  wish.arguments = fields.texts("arguments", arguments_max, argument_bounds);
  if (!wish.arguments.empty() && wish.shell.empty()) {
    fields.refuse("arguments", "are for a 'shell' that must be named, too");
  }
  for (const auto& argument : wish.arguments) {
    if (argument.contains('\0')) fields.refuse("arguments", "have a NUL byte");
  }
  auto place = read_exec_place(fields);
  wish.user = std::move(place.user);
  wish.working_dir = std::move(place.working_dir);
  wish.env = std::move(place.env);
  wish.size = read_size(fields).value_or(engine::TerminalSize{});
  if (fields.boolean("shared").value_or(false)) {
    wish.sharing = fleet::TerminalWish::Sharing::typing;
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return wish;
}

/// Adds a new ticket of the caller's to `object`.
Result<> add_ticket(Call& call, const std::string& terminal, json::Object& object) {
  auto ticket = call.services.terminals.ticket(terminal, call.account());
  if (!ticket) return fail(std::move(ticket.error()));
  auto ends = call.services.clock.now() + fleet::TerminalTickets::lifetime;
  object["ticket"] = ticket->reveal();
  object["ticket_expires_at"] = rfc3339(ends);
  return ok;
}

}  // namespace

Answer open_terminal(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  auto target = co_await container_for(call, access::Role::operator_);
  if (!target) co_return fail(std::move(target.error()));
  auto wish = co_await read_json(call, &read_wish);
  if (!wish) co_return fail(std::move(wish.error()));
  wish->owner = fleet::actor_of(*call.identity);
  wish->container = target->id;
  wish->name = target->name;
  wish->project = target->project;
  auto view = co_await call.services.terminals.open(target->host, std::move(*wish));
  if (!view) co_return fail(std::move(view.error()));
  auto object = terminal_json(*view);
  if (auto added = add_ticket(call, view->id, object); !added) co_return fail(added.error());
  co_return json_reply(201, object);
}

Answer list_terminals(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  json::Array items;
  for (const auto& view : call.services.terminals.list()) {
    if (visible_terminal(call, view.id)) items.push_back(terminal_json(view));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer create_terminal_ticket(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  auto view = visible_terminal(call, call.id);
  if (!view) co_return fail(no_such_terminal(call.id));
  json::Object object{{"may_type", may_type(call, *view)}};
  if (auto added = add_ticket(call, view->id, object); !added) co_return fail(added.error());
  co_return json_reply(201, object);
}

Answer end_terminal(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  auto view = visible_terminal(call, call.id);
  if (!view) co_return fail(no_such_terminal(call.id));
  if (!may_end(call, *view)) {
    co_return fail(ErrorKind::denied, "not_yours",
                   fmt::format("cannot end terminal '{}': it is somebody else's", view->id),
                   "ask its owner, or an admin");
  }
  auto end = co_await call.services.terminals.end(view->id, fleet::TerminalEnding::closed);
  if (!end) co_return fail(std::move(end.error()));
  auto object = terminal_end_json(*end);
  object["id"] = view->id;
  co_return json_reply(200, object);
}

}  // namespace gantry::api
