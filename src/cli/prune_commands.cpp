#include "async/attempt.hpp"
#include "cli/columns.hpp"
#include "cli/consent.hpp"
#include "cli/find_container.hpp"
#include "cli/remote_request.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

// `gantry images|volumes|networks prune`, and what takes the disk: the server first says what would
// go, and then removes what was named and would still go.
namespace gantry::cli {
namespace {

constexpr std::size_t items_max = 100'000;
/// How many the server removes with one request.
constexpr std::size_t ids_max = 500;
constexpr json::IntegerBounds any_count{0, INT64_MAX};
constexpr json::TextBounds any_text{0, 1U << 16U};

/// A prune that is under way.
struct Prune {
  Context& context;
  ApiClient& server;
  const Verb& verb;
  std::string path;
  json::Object wish;  ///< What goes besides in each request.
  std::int64_t removed = 0;
  std::int64_t size = 0;
  json::Array results;
  bool all_went_well = true;
};

async::task<Result<json::Value>> post(Prune& prune, std::string_view key, json::Value value) {
  auto body = prune.wish;
  body[key] = std::move(value);
  return prune.server.post(fmt::format("prune {}", prune.verb.command), prune.path,
                           std::move(body));
}

/// What the answer says of one of them.
void note(Prune& prune, const json::Value& result) {
  prune.results.push_back(result);
  json::Fields fields{result, "results", json::Keys::tolerant};
  if (fields.boolean("ok").value_or(false)) return;
  prune.all_went_well = false;
  const auto* error = fields.member("error");
  if (error == nullptr) return;
  json::Fields told{*error, "error", json::Keys::tolerant};
  prune.context.terminal.say(told.text("detail", any_text).value_or("it failed"));
}

async::task<Result<>> remove_some(Prune& prune, json::Array ids) {
  auto answer = co_await post(prune, "ids", std::move(ids));
  if (!answer) co_return fail(in_words_of(prune.verb, answer.error()));
  json::Fields fields{*answer, "", json::Keys::tolerant};
  prune.removed += fields.integer("removed", any_count).value_or(0);
  prune.size += fields.integer("size_bytes", any_count).value_or(0);
  const auto* results = fields.array("results", items_max);
  for (std::size_t i = 0; results != nullptr && i < results->size(); ++i) {
    note(prune, (*results)[i]);
  }
  co_return ok;
}

async::task<Result<>> remove_all(Prune& prune, const json::Array& items) {
  json::Array ids;
  for (const auto& item : items) {
    if (const auto* id = member_at(item, "id")) ids.push_back(*id);
    if (ids.size() < ids_max) continue;
    if (auto removed = co_await remove_some(prune, std::exchange(ids, {})); !removed) {
      co_return removed;
    }
  }
  if (ids.empty()) co_return ok;
  co_return co_await remove_some(prune, std::move(ids));
}

std::string removed_text(const Prune& prune) {
  auto text = fmt::format("{} removed", prune.removed);
  return prune.size == 0 ? text : fmt::format("{}, {}", text, size_text(prune.size));
}

void tell_removed(Prune& prune, Format format) {
  if (format == Format::text) {
    prune.context.terminal.say(removed_text(prune));
    return;
  }
  json::Object told{{"results", std::move(prune.results)},
                    {"removed", prune.removed},
                    {"size_bytes", prune.size}};
  prune.context.terminal.out(json::serialize(told) + "\n");
}

async::task<Result<int>> go(Prune& prune, const RemoteCommand& command, const json::Value& plan) {
  const auto& items = member_at(plan, "items")->as_array();
  if (command.format == Format::text) {
    auto question = fmt::format("remove these {} {}? [y/N]", items.size(), prune.verb.command);
    if (!command.has("force")) {
      auto yes = co_await agreed(prune.context, std::move(question));
      if (!yes) co_return fail(yes.error());
      if (!*yes) {
        prune.context.terminal.say("nothing is removed");
        co_return 1;
      }
    }
  }
  auto removed = co_await async::attempt(remove_all(prune, items));
  // What has gone is told, also when the rest could not be asked for any more.
  if (removed || !prune.results.empty()) tell_removed(prune, command.format);
  if (!removed) co_return fail(removed.error());
  co_return prune.all_went_well ? 0 : 1;
}

/// `images  11  63.0 MiB  61.2 MiB`
Row disk_row(const json::Value& usage, std::string_view kind) {
  auto at = [&](std::string_view member, Column::Show show) {
    auto path = fmt::format("{}.{}", kind, member);
    return cell({"", path, show}, usage, WallTime{});
  };
  return {std::string{kind}, at("count", Column::Show::text), at("size_bytes", Column::Show::size),
          at("reclaimable_bytes", Column::Show::size)};
}

}  // namespace

async::task<Result<int>> run_prune(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  if (!command.has("host")) {
    auto host = co_await default_host(**server);
    if (!host) co_return fail(host.error());
    command.given["host"] = {*host};
  }
  Prune prune{.context = context,
              .server = **server,
              .verb = *command.verb,
              .path = path_of(command.verb->path, command.given),
              .wish = std::move(request->body),
              .results = {}};
  if (command.has("all")) prune.wish["which"] = "unused";
  auto plan = co_await post(prune, "preview", true);
  if (!plan) co_return fail(in_words_of(*command.verb, plan.error()));
  const auto* items = member_at(*plan, "items");
  bool is_list = items != nullptr && items->is_array();
  bool only_told = command.has("dry_run") || !is_list || items->as_array().empty();
  if (command.format == Format::json) {
    if (only_told) context.terminal.out(json::serialize(*plan) + "\n");
    // What is asked by a program must say that it means it.
    if (!only_told && !command.has("force")) {
      co_return fail(ErrorKind::invalid, "bad_usage",
                     fmt::format("cannot prune {}: nobody is there to agree", prune.verb.command),
                     "give --force, or --dry-run to see what would go");
    }
  } else if (is_list && !items->as_array().empty()) {
    context.terminal.out(columns_of(command.verb->columns, items->as_array(), Clock{}.now()));
  } else {
    context.terminal.say("nothing would go");
  }
  if (only_told) co_return 0;
  co_return co_await go(prune, command, *plan);
}

async::task<Result<int>> run_disk(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  if (!command.has("host")) {
    auto host = co_await default_host(**server);
    if (!host) co_return fail(host.error());
    command.given["host"] = {*host};
  }
  auto usage = co_await (*server)->get("read what takes the disk",
                                       path_of(command.verb->path, command.given));
  if (!usage) co_return fail(usage.error());
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*usage) + "\n");
    co_return 0;
  }
  std::vector<Row> rows;
  for (auto kind : {"images", "containers", "volumes", "build_cache"}) {
    rows.push_back(disk_row(*usage, kind));
  }
  context.terminal.out(table({"WHAT", "COUNT", "SIZE", "UNUSED"}, rows));
  co_return 0;
}

}  // namespace gantry::cli
