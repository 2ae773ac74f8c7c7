#include "api/terminals_json.hpp"

#include "api/json_text.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr json::IntegerBounds size_bounds{1, 1000};

/// What they may do to a container of this project on the host of that name, whether or not it is
/// still one of the fleet.
std::optional<access::Role> role_at(const Call& call, const fleet::TerminalView& view) {
  auto host = call.services.fleet.find(view.host);
  auto groups = host ? host->config().groups : std::vector<std::string>{};
  return call.rights().role_on(view.host, groups, view.wish.project);
}

}  // namespace

json::Object terminal_json(const fleet::TerminalView& view) {
  const auto& wish = view.wish;
  json::Object object{{"id", view.id},
                      {"host", view.host},
                      {"container", json::Object{{"id", wish.container}, {"name", wish.name}}},
                      {"owner", text::one_line(wish.owner.name)},
                      {"shell", wish.shell},
                      {"columns", wish.size.columns},
                      {"rows", wish.size.rows},
                      {"shared", wish.sharing == fleet::TerminalWish::Sharing::typing},
                      {"recording", !view.recording.empty()},
                      {"created_at", rfc3339(view.created_at)},
                      {"viewers", view.viewers}};
  if (!wish.user.empty()) object["user"] = wish.user;
  if (!wish.working_dir.empty()) object["working_dir"] = text::one_line(wish.working_dir);
  if (!view.may_live_on.empty()) object["may_live_on"] = view.may_live_on;
  return object;
}

json::Object terminal_end_json(const fleet::TerminalEnd& end) {
  bool ended = end.process.fate == engine::ProcessFate::ended;
  json::Object object{{"reason", word(end.reason)}, {"process", ended ? "ended" : "may_live_on"}};
  if (end.exit_code) object["exit_code"] = *end.exit_code;
  if (!ended) object["detail"] = text::one_line(end.process.detail);
  return object;
}

json::Object recording_json(const fleet::Recording& recording) {
  json::Object object{{"id", recording.id.text()},
                      {"terminal", recording.terminal},
                      {"host", recording.host},
                      {"container", json::Object{{"id", recording.container_id},
                                                 {"name", text::one_line(recording.container)}}},
                      {"user", text::one_line(recording.user)},
                      {"shell", recording.shell},
                      {"columns", recording.size.columns},
                      {"rows", recording.size.rows},
                      {"started_at", rfc3339(recording.started_at)},
                      {"ended_at", time_or_null(recording.ended_at)},
                      {"bytes", recording.bytes.count},
                      {"state", recording.state}};
  if (recording.ended_at) {
    object["duration_ms"] = (*recording.ended_at - recording.started_at).count();
  }
  return object;
}

Error no_such_terminal(std::string_view id) {
  return {ErrorKind::not_found, "no_such_terminal",
          fmt::format("cannot find terminal '{}'", text::one_line(id)),
          "it may have ended: open another one"};
}

std::optional<fleet::TerminalView> visible_terminal(const Call& call, const std::string& id) {
  auto view = call.services.terminals.find(id);
  if (!view) return std::nullopt;
  auto role = role_at(call, *view);
  if (!role || *role < access::Role::operator_) return std::nullopt;
  return view;
}

bool may_type(const Call& call, const fleet::TerminalView& view) {
  return view.wish.owner.id == call.account() ||
         view.wish.sharing == fleet::TerminalWish::Sharing::typing;
}

bool may_end(const Call& call, const fleet::TerminalView& view) {
  return may_type(call, view) || role_at(call, view) == access::Role::admin;
}

std::optional<engine::TerminalSize> read_size(json::Fields& fields) {
  auto columns = fields.integer("columns", size_bounds);
  auto rows = fields.integer("rows", size_bounds);
  if (columns.has_value() != rows.has_value()) {
    fields.refuse("columns", "and 'rows' must be given together");
  }
  if (!columns || !rows) return std::nullopt;
  return engine::TerminalSize{.columns = static_cast<std::uint16_t>(*columns),
                              .rows = static_cast<std::uint16_t>(*rows)};
}

}  // namespace gantry::api
