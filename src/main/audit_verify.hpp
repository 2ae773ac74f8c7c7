#pragma once

#include "cli/commands.hpp"
#include "main/database_options.hpp"

namespace gantry::main {

/// `gantry audit verify`: it opens the database itself, so no server may be using it (of a server
/// that runs `GET /api/v1/audit/check` asks the same).
struct AuditVerifyCommand {
  DatabaseOptions database;
  cli::Format format = cli::Format::text;
};

/// Reads the whole audit log and says on standard output whether its chain is unbroken. Answers the
/// exit code: 0 when it is, 1 when it is not; what kept it from reading has been said on standard
/// error.
int verify_audit(const AuditVerifyCommand& command);

}  // namespace gantry::main
