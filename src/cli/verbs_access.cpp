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
                                   Column{"GRANTS", "grants", Show::count},
                                   Column{"EXPIRES", "expires_at"},
                                   Column{"LAST USED", "last_used_at", Show::age}};
constexpr std::array session_columns{
    Column{"ID", "id"}, Column{"ADDRESS", "address"}, Column{"USED", "last_used_at", Show::age},
    Column{"PROGRAM", "user_agent"}, Column{"CURRENT", "current", Show::yes}};
constexpr std::array audit_columns{Column{"TIME", "at"}, Column{"WHO", "actor"},
                                   Column{"WHAT", "action"}, Column{"TARGET", "target"},
                                   Column{"OUTCOME", "outcome"}};

constexpr std::array grant_columns{Column{"HOST", "host"}, Column{"GROUP", "group"},
                                   Column{"PROJECT", "project"}, Column{"ROLE", "role"},
                                   Column{"RIGHTS", "rights", Show::list}};

constexpr std::array one{Parameter{"ID", "id", "As the list shows it", path}};
constexpr Parameter user{"USER", "id", "Name or id", path};
constexpr std::array one_user{user};
constexpr Parameter grant{"--grant", "grants",
                          "host=NAME or group=NAME, and project=, role=, rights=; repeatable", body,
                          grants};
constexpr std::array set_grants{user, Parameter{"--grant", "items", grant.help, body, grants}};
constexpr std::array lift_grants{user, Parameter{"", "items", "", body, none}};
constexpr std::array new_user{
    Parameter{"NAME", "name", "What they sign in as"},
    Parameter{"--password", "password",
              "File whose first line is the first password; '-' is standard input", body, line},
    Parameter{"--role", "role", "executor, viewer, operator or admin [viewer]", body, text,
              "viewer"}};
constexpr std::array set_role{user,
                              Parameter{"ROLE", "role", "executor, viewer, operator or admin"}};
constexpr std::array enable{user, Parameter{"", "disabled", "", body, off}};
constexpr std::array disable{user, Parameter{"", "disabled", "", body, on}};
constexpr std::array new_token{
    Parameter{"NAME", "name", "What it is for"},
    Parameter{"--role", "role", "At most your own [viewer]", body, text, "viewer"},
    Parameter{"--scope", "scopes", "executions, containers, system, access; repeatable", body,
              list},
    Parameter{"--expires", "expires_at", "2027-01-01T00:00:00Z [never]"}, grant};

constexpr std::array audit_list{
    Parameter{"-n,--last", "limit", "How many [50]", query},
    Parameter{"--actor", "actor", "Of this user alone", query},
    Parameter{"--action", "action", "Of this kind: container.stop, or container", query},
    Parameter{"--host,--target", "target",
              "To what is on this host; or to this: HOST/CONTAINER, an id", query},
    Parameter{"--since", "since", "From this time: 10m, 2h, 2026-11-22T10:00:00Z", query},
    Parameter{"--until", "until", "To this time", query}};
constexpr std::array audit_export{
    Parameter{"--after", "after", "Only what follows the record of this number", query}};

constexpr std::string_view token_examples =
    "  gantry tokens create ci --scope executions\n"
    "  gantry tokens create deploy --role operator --scope containers \\\n"
    "    --grant host=web1,project=shop,role=operator";
constexpr std::string_view user_examples =
    "  gantry users add ada --role operator --password ada.password";
constexpr std::string_view grant_examples =
    "  gantry users grant ada --grant group=production\n"
    "  gantry users grant ada --grant host=web1,project=shop,role=operator,rights=unmask";

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
      {.command = "users",
       .action = "add",
       .help = "Add a user",
       .method = "POST",
       .path = "/api/v1/users",
       .parameters = new_user,
       .done = "user '{name}' is added",
       .examples = user_examples},
      of("users", "role", "Give a user another role", "PATCH", "/api/v1/users/{id}", set_role,
         "user '{id}' has role '{role}'"),
      {.command = "users",
       .action = "grants",
       .help = "Show which hosts a user is restricted to",
       .path = "/api/v1/users/{id}/grants",
       .parameters = one_user,
       .columns = grant_columns,
       .pages = Verb::Pages::first},
      {.command = "users",
       .action = "grant",
       .help = "Restrict a user to some hosts, in the place of all earlier grants",
       .method = "PUT",
       .path = "/api/v1/users/{id}/grants",
       .parameters = set_grants,
       .columns = grant_columns,
       .pages = Verb::Pages::first,
       .examples = grant_examples},
      of("users", "lift", "Let a user's role hold on every host", "PUT",
         "/api/v1/users/{id}/grants", lift_grants, "user '{id}' is not restricted any more"),
      of("users", "enable", "Let a user in again", "PATCH", "/api/v1/users/{id}", enable,
         "user '{id}' may come in"),
      of("users", "disable", "Keep a user out", "PATCH", "/api/v1/users/{id}", disable,
         "user '{id}' is kept out"),
      of("users", "remove", "Remove a user with sessions and tokens", "DELETE",
         "/api/v1/users/{id}", one_user, "user '{id}' is removed"),
      list_of("tokens", "List your API tokens", "/api/v1/tokens", token_columns),
      {.command = "tokens",
       .action = "create",
       .help = "Make an API token; it is shown once",
       .method = "POST",
       .path = "/api/v1/tokens",
       .parameters = new_token,
       .examples = token_examples},
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
       .parameters = audit_export,
       .runner = run_export},
      {.command = "audit",
       .action = "check",
       .help = "Check the chain of a running server's audit log",
       .path = "/api/v1/audit/check",
       .runner = run_audit_check},
  };
  return verbs;
}

}  // namespace gantry::cli
