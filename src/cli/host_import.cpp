#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/docker_contexts.hpp"
#include "cli/verb_tables.hpp"

#include <fmt/format.h>

// `gantry hosts import`: hosts as Docker's own client knows them.
namespace gantry::cli {
namespace {

Error nothing_named() {
  return {ErrorKind::invalid, "bad_usage", "cannot read the command line: no context is named",
          "name one of 'docker context ls', a file, or give --all"};
}

Error no_contexts() {
  return {ErrorKind::not_found, "no_docker_contexts",
          "cannot import hosts: this user has no Docker contexts besides 'default'",
          "'docker context ls' lists them; add hosts with 'gantry hosts add'"};
}

Result<engine::DockerContext> read_named(const RemoteCommand& command, const std::string& name) {
  std::error_code failed;
  if (std::filesystem::is_regular_file(name, failed)) return read_exported_context(name);
  return engine::read_own_context(command.docker_folder, name);
}

/// What the API wants to be sent is given to another command: an import is of safe hosts alone.
void by_hand(Error& error) {
  constexpr std::string_view sent = "send \"insecure_tcp\": true";
  error.remedy = text::replaced(error.remedy, sent, "add it by hand with --insecure-tcp");
  error.message = text::replaced(error.message, sent, "add it by hand with --insecure-tcp");
}

async::task<Result<json::Value>> add(ApiClient& server, const engine::DockerContext& context,
                                     const std::string& as) {
  auto name = host_name_of(as.empty() ? context.name : as);
  co_return co_await server.post(fmt::format("add host '{}'", name), "/api/v1/hosts",
                                 host_body(context, name));
}

}  // namespace

async::task<Result<int>> run_host_import(Context& context, RemoteCommand command) {
  auto names = command.has("all") ? engine::own_context_names(command.docker_folder)
                                  : command.texts("context");
  if (names.empty()) co_return fail(command.has("all") ? no_contexts() : nothing_named());
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  int exit_code = 0;
  json::Array added;
  for (const auto& name : names) {
    auto found = read_named(command, name);
    auto host = found ? co_await add(**server, *found, command.text("name")) : fail(found.error());
    if (!host) by_hand(host.error());
    if (!host && names.size() == 1) co_return fail(host.error());
    if (!host) {
      context.terminal.err(error_line(host.error(), command.format));
      exit_code = traits(host.error().kind).exit_code;
    } else if (command.format == Format::text) {
      context.terminal.say(fmt::format("host '{}' is added", host_name_of(name)));
    } else {
      added.push_back(std::move(*host));
    }
  }
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(json::Object{{"items", std::move(added)}}) + "\n");
  }
  co_return exit_code;
}

}  // namespace gantry::cli
