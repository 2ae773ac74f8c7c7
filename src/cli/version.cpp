#include "async/attempt.hpp"
#include "cli/api_client.hpp"
#include "cli/interrupt.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

json::Object json_of(const Error& error) {
  json::Object object{{"code", error.code}, {"detail", error.message}};
  if (!error.remedy.empty()) object["remedy"] = error.remedy;
  return object;
}

/// `20.10.24, API 1.41, at unix:///var/run/docker.sock`
std::string engine_text(const json::Value& engine) {
  json::Fields fields{engine, "engine", json::Keys::tolerant};
  auto endpoint = fields.text("endpoint").value_or("");
  if (fields.text("state") == "connected") {
    return fmt::format("{}, API {}, at {}", fields.text("version").value_or("unknown"),
                       fields.text("api_version").value_or("unknown"), endpoint);
  }
  std::string why = "it has not answered yet";
  if (const auto* error = fields.member("error")) {
    json::Fields trouble{*error, "error", json::Keys::tolerant};
    why = trouble.text("detail").value_or(why);
    if (auto remedy = trouble.text("remedy")) why += "; " + *remedy;
  }
  return fmt::format("not reachable: {}", why);
}

async::task<Result<json::Value>> ask(Context& context, const VersionCommand& command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  co_return co_await (*server)->get("ask for the server's version", "/api/v1/system");
}

void print(Context& context, const VersionCommand& command, const Result<json::Value>& system) {
  auto& terminal = context.terminal;
  terminal.out(fmt::format("gantry  {}\n", context.version));
  if (!system) {
    terminal.out(fmt::format("server  {}\n", system.error().sentence()));
    return;
  }
  json::Fields fields{*system, "", json::Keys::tolerant};
  terminal.out(fmt::format("server  {} at {}\n", fields.text("version").value_or("unknown"),
                           command.server.url));
  if (const auto* engine = fields.member("engine")) {
    terminal.out(fmt::format("engine  {}\n", engine_text(*engine)));
  }
}

void print_json(Context& context, const Result<json::Value>& system) {
  json::Object object{{"version", context.version}};
  if (system) {
    json::Fields fields{*system, "", json::Keys::tolerant};
    object["server"] = json::Object{{"version", fields.text("version").value_or("")}};
    if (const auto* engine = fields.member("engine")) object["engine"] = *engine;
  } else {
    object["server"] = json::Object{{"error", json_of(system.error())}};
  }
  context.terminal.out(json::serialize(object) + "\n");
}

async::task<Result<int>> tell(Context& context, VersionCommand command) {
  auto system = co_await async::attempt(ask(context, command));
  command.format == Format::json ? print_json(context, system) : print(context, command, system);
  co_return 0;
}

}  // namespace

async::task<Result<int>> run(Context& context, VersionCommand command) {
  return unless_interrupted(context, tell(context, std::move(command)));
}

}  // namespace gantry::cli
