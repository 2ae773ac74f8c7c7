#include "cli/api_client.hpp"
#include "cli/contexts.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"

#include <array>

#include <fmt/format.h>

// `gantry context …`: no server is asked.
namespace gantry::cli {
namespace {

using enum Parameter::To;

constexpr std::array by_name{Parameter{"NAME", "name", "The context", runner}};
constexpr std::array new_context{
    Parameter{"NAME", "name", "What to call it", runner},
    Parameter{"URL", "url", "https://gantry.example.org", runner},
    Parameter{"--token", "token", "File with the API token to use there", runner}};

constexpr std::string_view examples =
    "  gantry context add prod https://gantry.example.org --token ~/.config/gantry/prod.token\n"
    "  gantry context use prod\n"
    "  gantry ps --context prod";

Result<ServerContext> known(const Contexts& contexts, const std::string& name) {
  auto found = contexts.all.find(name);
  if (found != contexts.all.end()) return found->second;
  return fail(ErrorKind::not_found, "no_such_context",
              fmt::format("cannot find context '{}'", name), "'gantry context list' lists them");
}

std::string list_text(const Contexts& contexts, Format format) {
  std::vector<Row> rows;
  json::Array items;
  for (const auto& [name, one] : contexts.all) {
    bool current = name == contexts.current;
    rows.push_back({name, one.server, one.token_file, current ? "yes" : ""});
    items.emplace_back(json::Object{{"name", name},
                                    {"server", one.server},
                                    {"token_file", one.token_file},
                                    {"current", current}});
  }
  if (format == Format::json) return json::serialize(json::Object{{"items", items}}) + "\n";
  return table({"NAME", "SERVER", "TOKEN FILE", "CURRENT"}, rows);
}

/// What becomes of the contexts by a command; the sentence that tells it.
Result<std::string> changed(Contexts& contexts, const RemoteCommand& command) {
  auto name = command.text("name");
  auto action = command.verb->action;
  if (action == "add") {
    auto endpoint = server_endpoint(command.text("url"));
    if (!endpoint) return fail(endpoint.error());
    std::error_code failed;
    auto token = command.text("token");
    if (!token.empty()) token = std::filesystem::absolute(token, failed).string();
    contexts.all[name] = {command.text("url"), token};
    return fmt::format("context '{}' is added", name);
  }
  if (auto found = known(contexts, name); !found) return fail(found.error());
  if (action == "use") {
    contexts.current = name;
    return fmt::format("context '{}' is used from now on", name);
  }
  contexts.all.erase(name);
  if (contexts.current == name) contexts.current.clear();
  return fmt::format("context '{}' is removed", name);
}

Verb verb(std::string_view action, std::string_view help, std::span<const Parameter> parameters) {
  return {.command = "context",
          .action = action,
          .help = help,
          .parameters = parameters,
          .runner = run_context,
          .examples = examples};
}

}  // namespace

async::task<Result<int>> run_context(Context& context, RemoteCommand command) {
  auto contexts = read_contexts(command.config_folder);
  if (!contexts) co_return fail(contexts.error());
  if (command.verb->action == "list") {
    context.terminal.out(list_text(*contexts, command.format));
    co_return 0;
  }
  auto told = changed(*contexts, command);
  if (!told) co_return fail(told.error());
  auto written = write_contexts(command.config_folder, *contexts);
  if (!written) co_return fail(written.error());
  context.terminal.say(*told);
  co_return 0;
}

std::span<const Verb> context_verbs() {
  static const std::vector<Verb> verbs{
      verb("list", "List the servers that this user works with", {}),
      verb("add", "Add a server", new_context),
      verb("use", "Work with this server from now on", by_name),
      verb("remove", "Forget a server", by_name),
  };
  return verbs;
}

}  // namespace gantry::cli
