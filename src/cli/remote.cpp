#include "cli/remote.hpp"

#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/columns.hpp"
#include "cli/find_container.hpp"
#include "cli/find_user.hpp"
#include "cli/interrupt.hpp"
#include "cli/named_files.hpp"
#include "cli/remote_request.hpp"
#include "cli/whole_list.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

/// Whether its path leads to a host that need not be named.
bool of_a_host(const Verb& verb) { return verb.path.find("{host}") != verb.path.npos; }

/// Whether its path leads to a user, who may be named.
bool of_a_user(const Verb& verb) { return verb.path.starts_with("/api/v1/users/{id}"); }

/// `list hosts`, of `List hosts`.
std::string doing_of(const Verb& verb) {
  std::string doing{verb.help};
  if (!doing.empty() && doing.front() >= 'A' && doing.front() <= 'Z') doing.front() += 'a' - 'A';
  return doing.substr(0, doing.find_first_of(",;"));
}

async::task<Result<json::Value>> ask(ApiClient& server, const Verb& verb, RemoteRequest request) {
  if (!verb.columns.empty() && verb.pages == Verb::Pages::all) {
    co_return co_await whole_list(server, doing_of(verb), std::move(request.target));
  }
  std::optional<json::Value> body;
  if (verb.method != "GET" && verb.method != "DELETE") body = std::move(request.body);
  co_return co_await server.send(doing_of(verb), std::move(request.method),
                                 std::move(request.target), std::move(body));
}

/// An empty list of a host that is not followed must not look like one of a host that has nothing.
std::optional<std::string> stale_note(const RemoteCommand& command, const json::Value& answer) {
  const auto* stale = member_at(answer, "stale");
  if (stale == nullptr || !stale->is_bool() || !stale->as_bool()) return std::nullopt;
  auto as_of = cell({"", "as_of"}, answer, WallTime{});
  auto host = text::one_line(command.text("host"));
  return fmt::format("stale: host '{}' is away or disabled; {}: 'gantry hosts show {}' says which",
                     host, as_of.empty() ? "nothing is known of it yet" : "this was so at " + as_of,
                     host);
}

void print(Context& context, const RemoteCommand& command, const json::Value& answer) {
  auto& terminal = context.terminal;
  const auto& verb = *command.verb;
  if (command.format == Format::json) {
    if (!answer.is_null()) terminal.out(json::serialize(answer) + "\n");
    return;
  }
  if (const auto* items = member_at(answer, verb.items);
      !verb.columns.empty() && items != nullptr && items->is_array()) {
    terminal.out(columns_of(verb.columns, items->as_array(), Clock{}.now()));
    if (auto note = stale_note(command, answer)) terminal.say(*note);
    return;
  }
  if (!verb.done.empty()) {
    terminal.say(sentence_of(verb.done, command.given));
  } else if (answer.is_object()) {
    terminal.out(members_of(answer));
  }
}

async::task<Result<int>> request(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  if (of_a_host(*command.verb) && !command.has("host")) {
    auto host = command.verb->command == "projects"
                    ? co_await project_host(**server, command.text("name"))
                    : co_await default_host(**server);
    if (!host) co_return fail(host.error());
    command.given["host"] = {*host};
  }
  auto read = co_await reader_of(context, command);
  if (!read) co_return fail(read.error());
  // What is said of it has the words that somebody gave.
  auto meant = command.given;
  if (of_a_user(*command.verb)) {
    auto user = co_await find_user(**server, command.text("id"));
    if (!user) co_return fail(user.error());
    meant["id"] = {std::move(*user)};
  }
  auto request = request_of(*command.verb, meant, *read);
  if (!request) co_return fail(request.error());
  auto answer = co_await ask(**server, *command.verb, std::move(*request));
  if (!answer) co_return fail(in_words_of(*command.verb, answer.error()));
  print(context, command, *answer);
  co_return 0;
}

}  // namespace

std::string RemoteCommand::text(std::string_view key) const {
  auto found = given.find(key);
  return found == given.end() || found->second.empty() ? "" : found->second.front();
}

std::vector<std::string> RemoteCommand::texts(std::string_view key) const {
  auto found = given.find(key);
  return found == given.end() ? std::vector<std::string>{} : found->second;
}

async::task<Result<int>> run(Context& context, RemoteCommand command) {
  auto* runner = command.verb->runner;
  if (runner == nullptr) runner = &request;
  return unless_interrupted(context, runner(context, std::move(command)));
}

}  // namespace gantry::cli
