#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/columns.hpp"
#include "cli/find_container.hpp"
#include "cli/ps.hpp"
#include "cli/remote_request.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"
#include "cli/whole_list.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

// Commands about containers that people name without their host.
namespace gantry::cli {
namespace {

constexpr std::size_t results_max = 1'000;

/// The action as the API calls it.
std::string_view action_of(std::string_view command) {
  return command == "rm" ? "remove" : command;
}

/// Who named several wants to know what became of the others.
Error before_anything(Error error, std::size_t named) {
  if (named > 1) error.message += "; nothing is done to the others";
  return error;
}

async::task<Result<std::vector<FoundContainer>>> find_all(ApiClient& server,
                                                          const RemoteCommand& command) {
  std::vector<FoundContainer> found;
  for (const auto& word : command.texts("containers")) {
    auto one = co_await find_container(server, command.text("host"), word);
    if (!one) co_return fail(before_anything(one.error(), command.texts("containers").size()));
    found.push_back(std::move(*one));
  }
  co_return found;
}

json::Array references(const std::vector<FoundContainer>& containers) {
  json::Array references;
  for (const auto& one : containers) {
    references.emplace_back(json::Object{{"host", one.host}, {"id", one.id}});
  }
  return references;
}

/// The processes of a container, in the columns that its machine's ps has.
std::string processes_of(const json::Value& answer) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  auto head = fields.texts("titles", results_max);
  std::vector<Row> rows;
  if (const auto* processes = fields.array("rows", results_max)) {
    for (const auto& process : *processes) {
      Row row;
      for (const auto& text : process.as_array()) row.emplace_back(text.as_string());
      row.resize(head.size());
      rows.push_back(std::move(row));
    }
  }
  return table(head, rows);
}

/// One line for each container; true when all went well.
bool tell_results(Terminal& terminal, const json::Value& answer,
                  const std::vector<FoundContainer>& containers, std::string_view done) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  bool all_went_well = true;
  const auto* results = fields.array("results", results_max);
  if (results == nullptr) return false;
  for (const auto& result : *results) {
    json::Fields one{result, "results", json::Keys::tolerant};
    auto id = one.text("id").value_or("");
    auto found = std::ranges::find(containers, id, &FoundContainer::id);
    auto name = found == containers.end() ? id : found->name;
    if (one.boolean("ok").value_or(false)) {
      terminal.out(fmt::format("{}  {}\n", text::one_line(name), done));
      continue;
    }
    all_went_well = false;
    std::string why = "it failed";
    if (const auto* error = one.member("error")) {
      json::Fields trouble{*error, "error", json::Keys::tolerant};
      Error told{ErrorKind::internal,
                 {},
                 trouble.text("detail", {0, 1U << 16U}).value_or(why),
                 trouble.text("remedy", {0, 1U << 16U}).value_or("")};
      if (found != containers.end()) told = by_name(std::move(told), *found);
      why = told.sentence();
    }
    terminal.say(fmt::format("{}: {}", text::one_line(name), why));
  }
  return all_went_well;
}

/// `killed`; but many programs live through a signal of somebody's own.
std::string done_of(const RemoteCommand& command) {
  if (!command.has("signal")) return std::string{command.verb->done};
  return fmt::format("was sent signal '{}'", text::one_line(command.text("signal")));
}

/// A list of a host that is not there is empty; somebody who names one wants to know.
Result<> knows_host(const json::Value& answer, const std::string& name) {
  const auto* items = member_at(answer, "items");
  const auto* hosts = member_at(answer, "hosts");
  if (items == nullptr || !items->is_array()) {
    return fail(ErrorKind::unavailable, "not_gantry",
                "cannot list containers: the server's answer is no list", {});
  }
  if (name.empty() || hosts == nullptr || !hosts->is_array() || !hosts->as_array().empty()) {
    return ok;
  }
  return fail(ErrorKind::not_found, "no_such_host",
              fmt::format("cannot find host '{}'", text::one_line(name)),
              "'gantry hosts' lists those there are");
}

}  // namespace

async::task<Result<int>> run_ps(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer = co_await whole_list(**server, "list containers", std::move(request->target));
  if (!answer) co_return fail(in_words_of(*command.verb, answer.error()));
  if (auto known = knows_host(*answer, command.text("host")); !known) co_return fail(known.error());
  if (command.has("ids")) {
    for (const auto& item : member_at(*answer, "items")->as_array()) {
      context.terminal.out(cell({"", "id", Column::Show::id}, item, WallTime{}) + "\n");
    }
    co_return 0;
  }
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
    co_return 0;
  }
  auto view = container_view(*answer);
  if (!view) co_return fail(view.error());
  context.terminal.out(view->table);
  for (const auto& note : view->notes) context.terminal.say(note);
  co_return 0;
}

async::task<Result<int>> run_names(Context& context, RemoteCommand command) {
  auto kind = command.text("kind");
  if (kind != "hosts" && kind != "containers") {
    co_return fail(ErrorKind::invalid, "bad_usage",
                   fmt::format("cannot list names of '{}': it is not known", text::one_line(kind)),
                   "give hosts or containers");
  }
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer =
      co_await whole_list(**server, fmt::format("list {}", kind), fmt::format("/api/v1/{}", kind));
  if (!answer) co_return fail(answer.error());
  const auto* items = member_at(*answer, "items");
  if (items == nullptr || !items->is_array()) co_return 0;
  std::set<std::string> told;
  for (const auto& item : items->as_array()) {
    auto name = cell({"", "name"}, item, WallTime{});
    // Two hosts may have containers of one name.
    if (!told.insert(name).second) continue;
    // A name that a shell would read as more than a word is nobody's container.
    if (name.find_first_of(" \t\n\"'`$\\;&|<>()") == name.npos) {
      context.terminal.out(name + "\n");
    }
  }
  co_return 0;
}

async::task<Result<int>> run_container_action(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto containers = co_await find_all(**server, command);
  if (!containers) co_return fail(containers.error());
  request->body["action"] = action_of(command.verb->command);
  request->body["containers"] = references(*containers);
  auto answer = co_await (*server)->post(fmt::format("{} containers", command.verb->command),
                                         request->target, request->body);
  if (!answer) co_return fail(in_words_of(*command.verb, answer.error()));
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
    Terminal silent{[](std::string_view) {}, [](std::string_view) {}, Terminal::Kind::file};
    co_return tell_results(silent, *answer, *containers, "") ? 0 : 1;
  }
  co_return tell_results(context.terminal, *answer, *containers, done_of(command)) ? 0 : 1;
}

async::task<Result<int>> run_container_look(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto found = co_await find_container(**server, command.text("host"), command.text("container"));
  if (!found) co_return fail(found.error());
  std::optional<json::Value> body;
  if (request->method != "GET") body = std::move(request->body);
  auto answer =
      co_await (*server)->send(fmt::format("{} container '{}'", command.verb->action, found->name),
                               request->method, found->path() + request->target, std::move(body));
  if (!answer) co_return fail(by_name(in_words_of(*command.verb, answer.error()), *found));
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
  } else if (!command.verb->done.empty()) {
    context.terminal.say(sentence_of(command.verb->done, command.given));
  } else if (const auto* rows = member_at(*answer, "rows"); rows != nullptr) {
    context.terminal.out(processes_of(*answer));
  } else if (const auto* items = member_at(*answer, "items");
             !command.verb->columns.empty() && items != nullptr && items->is_array()) {
    context.terminal.out(columns_of(command.verb->columns, items->as_array(), WallTime{}));
  } else {
    context.terminal.out(members_of(*answer));
  }
  co_return 0;
}

}  // namespace gantry::cli
