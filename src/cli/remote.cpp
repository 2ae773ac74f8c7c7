#include "cli/remote.hpp"

#include "cli/api_client.hpp"
#include "cli/columns.hpp"
#include "cli/find_container.hpp"
#include "cli/input.hpp"
#include "cli/interrupt.hpp"
#include "cli/remote_request.hpp"
#include "cli/whole_list.hpp"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

constexpr std::size_t file_max = 1U << 20U;

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text(file_max + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (text.empty() || text.size() > file_max) {
    return fail(ErrorKind::not_found, "no_file",
                fmt::format("cannot read '{}': it is not there, empty or over 1 MiB", path),
                "name another file");
  }
  return text;
}

/// Whether its path leads to a host that need not be named.
bool of_a_host(const Verb& verb) { return verb.path.find("{host}") != verb.path.npos; }

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
  auto request = request_of(*command.verb, command.given, read_text_file);
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
