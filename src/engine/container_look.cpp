// What can be seen of a container beside its settings: its processes and its changed files.
#include "engine/containers.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"

namespace gantry::engine {
namespace {

/// A container may have changed every file of its image.
constexpr Bytes changes_max{32U << 20U};

Result<Request> look(std::string verb, const std::string& container, std::string path) {
  Request request;
  request.doing = {std::move(verb), "container", container};
  if (auto valid = check_container(request.doing, container); !valid) return fail(valid.error());
  request.path = {"containers", container, std::move(path)};
  return request;
}

std::vector<std::string> cells_of(const json::Value& row, json::Fields& parent) {
  std::vector<std::string> cells;
  const auto* items = row.if_array();
  if (items == nullptr) {
    parent.refuse("Processes", "must hold arrays");
    return cells;
  }
  for (const auto& item : *items) {
    if (item.is_string()) cells.emplace_back(item.get_string());
  }
  return cells;
}

PathChange::Kind kind_of(std::int64_t number) {
  if (number == 1) return PathChange::Kind::added;
  return number == 2 ? PathChange::Kind::removed : PathChange::Kind::modified;
}

}  // namespace

async::task<Result<ProcessTable>> container_top(Client& client, std::string container) {
  auto request = look("list the processes of", container, "top");
  if (!request) co_return fail(std::move(request.error()));
  auto doing = request->doing;
  auto answer = co_await client.call_json(std::move(*request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  ProcessTable table;
  table.titles = read::texts(fields, "Titles");
  if (const auto* rows = fields.array("Processes", SIZE_MAX)) {
    for (const auto& row : *rows) table.rows.push_back(cells_of(row, fields));
  }
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return table;
}

async::task<Result<std::vector<PathChange>>> container_changes(Client& client,
                                                               std::string container) {
  auto request = look("list the changed files of", container, "changes");
  if (!request) co_return fail(std::move(request.error()));
  request->answer_max = changes_max;
  auto doing = request->doing;
  auto answer = co_await client.call_json(std::move(*request));
  if (!answer) co_return fail(std::move(answer.error()));
  std::vector<PathChange> changes;
  // No change at all is `null`.
  if (answer->is_null()) co_return changes;
  const auto* items = answer->if_array();
  if (items == nullptr) {
    co_return fail(read::malformed(doing, json::field_error("body", "must be an array")));
  }
  for (const auto& item : *items) {
    auto fields = read::fields(item, "");
    changes.push_back(
        {.kind = kind_of(read::integer(fields, "Kind")), .path = read::text(fields, "Path")});
    if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  }
  co_return changes;
}

}  // namespace gantry::engine
