#include "main/audit_verify.hpp"

#include "access/audit_store.hpp"
#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "base/json.hpp"

#include <cstdio>

#include <boost/asio/io_context.hpp>  // as every command that needs no server
#include <fmt/format.h>

namespace gantry::main {
namespace {

constexpr int exit_broken = 1;

async::task<access::AuditCheck> check(const AuditVerifyCommand& command) {
  auto database = co_await open_existing_database(command.database);
  co_await access::audit::migrate(*database);
  co_return co_await access::audit::verify(*database);
}

std::string told(const access::AuditCheck& check, cli::Format format) {
  if (format == cli::Format::json) {
    json::Object object{{"records", check.records},
                        {"broken_at", nullptr},
                        {"reason", nullptr},
                        {"last_hash", check.last_hash}};
    if (check.broken_at) object["broken_at"] = *check.broken_at;
    if (check.broken_at) object["reason"] = check.reason;
    return json::serialize(object) + "\n";
  }
  if (check.broken_at) {
    return fmt::format("The chain is broken at record {}: {}. {} before it are in order.\n",
                       *check.broken_at, check.reason, check.records);
  }
  if (check.records == 0) return "The audit log is empty.\n";
  return fmt::format("All {} records are in order. The hash of the last one is\n{}\n",
                     check.records, check.last_hash);
}

async::task<void> verify_and_report(const AuditVerifyCommand& command, int& exit_code) {
  auto checked = co_await async::attempt(check(command));
  if (!checked) {
    exit_code = traits(checked.error().kind).exit_code;
    if (checked.error().code == "already_running") {
      checked.error().remedy = "ask that server with 'gantry audit check', or stop it first";
    }
    fmt::print(stderr, "{}", cli::error_line(checked.error(), command.format));
    co_return;
  }
  exit_code = checked->broken_at ? exit_broken : 0;
  fmt::print("{}", told(*checked, command.format));
}

}  // namespace

int verify_audit(const AuditVerifyCommand& command) {
  int exit_code = 0;
  boost::asio::io_context loop{1};
  async::TaskScope root{loop.get_executor()};
  root.spawn("audit", verify_and_report(command, exit_code));
  loop.run();
  return exit_code;
}

}  // namespace gantry::main
