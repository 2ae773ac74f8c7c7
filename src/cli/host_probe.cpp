#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/remote_request.hpp"
#include "cli/table.hpp"
#include "cli/verb_tables.hpp"

#include <fmt/format.h>

// `gantry hosts test`: which step failed, why, and what to do about it.
namespace gantry::cli {
namespace {

constexpr std::size_t steps_max = 32;
constexpr json::IntegerBounds any_time{0, 3'600'000};

/// The steps as a table, and what to do below it.
struct Shown {
  std::vector<Row> rows;
  std::vector<std::string> remedies;
};

void add_step(Shown& shown, const json::Value& value, const std::string& host) {
  json::Fields step{value, "steps", json::Keys::tolerant};
  auto state = step.text("state").value_or("");
  auto took = step.integer("took_ms", any_time);
  shown.rows.push_back({step.text("step").value_or(""), state,
                        took ? fmt::format("{} ms", *took) : "",
                        step.text("detail", {0, 1U << 16U}).value_or("")});
  if (state != "failed") return;
  if (auto remedy = step.text("remedy", {0, 1U << 16U})) shown.remedies.push_back(*remedy);
  if (auto key = step.text("fingerprint")) {
    shown.remedies.push_back(fmt::format(
        "if the machine's owner confirms this key: gantry hosts trust {} {}", host, *key));
  }
}

}  // namespace

async::task<Result<int>> run_host_test(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer = co_await (*server)->post("test a host", path_of(command.verb->path, command.given),
                                         json::Object{});
  if (!answer) co_return fail(answer.error());
  json::Fields fields{*answer, "", json::Keys::tolerant};
  bool sound = fields.boolean("ok").value_or(false);
  auto exit_code = sound ? 0 : traits(ErrorKind::unavailable).exit_code;
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
    co_return exit_code;
  }
  Shown shown;
  if (const auto* steps = fields.array("steps", steps_max)) {
    for (const auto& step : *steps) add_step(shown, step, command.text("name"));
  }
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  context.terminal.out(table({"STEP", "STATE", "TOOK", "DETAIL"}, shown.rows));
  for (const auto& remedy : shown.remedies) context.terminal.say("> " + remedy);
  co_return exit_code;
}

}  // namespace gantry::cli
