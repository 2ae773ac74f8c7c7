#include "cli/verb_tables.hpp"

#include <array>

// `gantry users|tokens|sessions|audit …`
namespace gantry::cli {
namespace {

using enum Parameter::Kind;
using enum Parameter::To;
using Show = Column::Show;

constexpr std::array user_columns{Column{"ID", "id"}, Column{"NAME", "name"},
                                  Column{"ROLE", "role"}, Column{"DISABLED", "disabled", Show::yes},
                                  Column{"CREATED", "created_at", Show::age}};
constexpr std::array token_columns{Column{"ID", "id"},
                                   Column{"NAME", "name"},
                                   Column{"HINT", "hint"},
                                   Column{"ROLE", "role"},
                                   Column{"SCOPES", "scopes", Show::list},
                                   Column{"EXPIRES", "expires_at"},
                                   Column{"LAST USED", "last_used_at", Show::age}};
constexpr std::array session_columns{
    Column{"ID", "id"}, Column{"ADDRESS", "address"}, Column{"USED", "last_used_at", Show::age},
    Column{"PROGRAM", "user_agent"}, Column{"CURRENT", "current", Show::yes}};
constexpr std::array audit_columns{Column{"TIME", "at"}, Column{"WHO", "actor"},
                                   Column{"WHAT", "action"}, Column{"TARGET", "target"},
                                   Column{"OUTCOME", "outcome"}};

constexpr std::array one{Parameter{"ID", "id", "As the list shows it", path}};
constexpr std::array new_user{
    Parameter{"NAME", "name", "What they sign in as"},
    Parameter{"--password", "password", "File with the first password; '-' is standard input", body,
              file},
    Parameter{"--role", "role", "executor, viewer, operator or admin [viewer]"}};
constexpr std::array set_role{Parameter{"ID", "id", "As the list shows it", path},
                              Parameter{"ROLE", "role", "executor, viewer, operator or admin"}};
constexpr std::array enable{Parameter{"ID", "id", "As the list shows it", path},
                            Parameter{"", "disabled", "", body, off}};
constexpr std::array disable{Parameter{"ID", "id", "As the list shows it", path},
                             Parameter{"", "disabled", "", body, on}};
constexpr std::array new_token{
    Parameter{"NAME", "name", "What it is for"},
    Parameter{"--role", "role", "At most your own [viewer]"},
    Parameter{"--scope", "scopes", "executions, containers, system, access; repeatable", body,
              list},
    Parameter{"--expires", "expires_at", "2027-01-01T00:00:00Z [never]"}};

constexpr std::array audit_list{
    Parameter{"-n,--last", "limit", "How many [50]", query},
    Parameter{"--actor", "actor", "Of this user alone", query},
    Parameter{"--action", "action", "Of this kind: container.stop", query}};

Verb of(std::string_view command, std::string_view action, std::string_view help,
        std::string_view method, std::string_view path, std::span<const Parameter> parameters,
        std::string_view done = {}) {
  return {.command = command,
          .action = action,
          .help = help,
          .method = method,
          .path = path,
          .parameters = parameters,
          .done = done};
}

Verb list_of(std::string_view command, std::string_view help, std::string_view path,
             std::span<const Column> columns) {
  return {.command = command, .action = "list", .help = help, .path = path, .columns = columns};
}

}  // namespace

std::span<const Verb> access_verbs() {
  static const std::vector<Verb> verbs{
      list_of("users", "List users", "/api/v1/users", user_columns),
      of("users", "add", "Add a user", "POST", "/api/v1/users", new_user, "user '{name}' is added"),
      of("users", "role", "Give a user another role", "PATCH", "/api/v1/users/{id}", set_role,
         "user '{id}' has role '{role}'"),
      of("users", "grants", "Show which hosts a user may see", "GET", "/api/v1/users/{id}/grants",
         one),
      of("users", "enable", "Let a user in again", "PATCH", "/api/v1/users/{id}", enable,
         "user '{id}' may come in"),
      of("users", "disable", "Keep a user out", "PATCH", "/api/v1/users/{id}", disable,
         "user '{id}' is kept out"),
      of("users", "remove", "Remove a user with sessions and tokens", "DELETE",
         "/api/v1/users/{id}", one, "user '{id}' is removed"),
      list_of("tokens", "List your API tokens", "/api/v1/tokens", token_columns),
      of("tokens", "create", "Make an API token; it is shown once", "POST", "/api/v1/tokens",
         new_token),
      of("tokens", "revoke", "Revoke an API token", "DELETE", "/api/v1/tokens/{id}", one,
         "token '{id}' is revoked"),
      list_of("sessions", "List where you are signed in", "/api/v1/me/sessions", session_columns),
      of("sessions", "end", "End one of your sessions", "DELETE", "/api/v1/me/sessions/{id}", one,
         "session '{id}' is ended"),
      {.command = "audit",
       .action = "list",
       .help = "List who did what, the last first",
       .path = "/api/v1/audit",
       .parameters = audit_list,
       .columns = audit_columns,
       .pages = Verb::Pages::first},
      {.command = "audit",
       .action = "export",
       .help = "Write the whole audit log as JSON lines",
       .path = "/api/v1/audit/export",
       .runner = run_export},
  };
  return verbs;
}

}  // namespace gantry::cli
