#include "cli/columns.hpp"
#include "cli/copy_stream.hpp"
#include "cli/remote_request.hpp"
#include "cli/verb_tables.hpp"

#include <fmt/format.h>

// `gantry audit export` and `check`.
namespace gantry::cli {

async::task<Result<int>> run_export(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  auto copied = co_await copy_text(context, **server, "export the audit log", request->target,
                                   "application/x-ndjson");
  co_return copied ? copied : fail(in_words_of(*command.verb, copied.error()));
}

async::task<Result<int>> run_audit_check(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer = co_await (*server)->get("check the audit log", std::string{command.verb->path});
  if (!answer) co_return fail(answer.error());
  const auto* broken = member_at(*answer, "broken_at");
  bool whole = broken == nullptr || broken->is_null();
  auto text = [&](std::string_view key) { return cell({"", key}, *answer, WallTime{}); };
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
  } else if (whole) {
    context.terminal.out(fmt::format("The audit log is whole: {} records.\n", text("records")));
  } else {
    context.terminal.out(fmt::format("The audit log is broken at record {}: {}.\n",
                                     text("broken_at"), text("reason")));
  }
  co_return whole ? 0 : 1;
}

}  // namespace gantry::cli
