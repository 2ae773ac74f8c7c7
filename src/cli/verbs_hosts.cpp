#include "cli/verb_tables.hpp"

#include <algorithm>
#include <array>
#include <iterator>

// `gantry hosts …`
namespace gantry::cli {
namespace {

using enum Parameter::Kind;
using enum Parameter::To;
using Parameters = std::vector<Parameter>;

constexpr std::array columns{
    Column{"NAME", "name"},
    Column{"STATE", "state"},
    Column{"ENDPOINT", "endpoint"},
    Column{"VIA", "via"},
    Column{"ENGINE", "engine.version"},
    Column{"RUNNING", "containers.running"},
    Column{"CONTAINERS", "containers.total"},
    Column{"GROUPS", "groups", Column::Show::list},
    Column{"AS OF", "as_of", Column::Show::age},
};

constexpr std::array one_host{Parameter{"NAME", "name", "The host", path}};

constexpr std::array rename_parameters{Parameter{"NAME", "host", "The host", path},
                                       Parameter{"NEW", "name", "What to call it from now on"}};
constexpr std::array disk_parameters{
    Parameter{"[NAME]", "host", "The host [the default one]", path}};
constexpr std::array trust_parameters{
    Parameter{"NAME", "name", "The host", path},
    Parameter{"FINGERPRINT", "fingerprint", "As 'gantry hosts test' shows it: SHA256:…"}};
constexpr std::array import_parameters{
    Parameter{"[CONTEXT]", "context", "A context of Docker's, or a file of 'docker context export'",
              runner},
    Parameter{"--name", "name", "What to call the host [as the context]", runner},
    Parameter{"--all", "all", "All contexts of this user", runner, on}};

/// How a host is reached and described: what `add` and `update` both take.
const Parameters& reach_parameters() {
  static const Parameters parameters{
      {"--label", "labels", "NAME=VALUE; repeatable", body, map},
      {"--group", "groups", "A group it is in; repeatable", body, list},
      {"--note", "note", "What people should know of it"},
      {"--ca", "tls.ca", "Whom to trust at a tls:// endpoint, PEM", body, file},
      {"--cert", "tls.certificate", "Who we are at a tls:// endpoint, PEM", body, file},
      {"--key", "tls.key", "The key of --cert, PEM", body, file},
      {"--jump", "ssh.jump", "Through this machine, [user@]host[:port]; repeatable", body, list},
      {"--identity", "ssh.identity", "Private key to log in with", body, file},
      {"--ssh-certificate", "ssh.certificate", "OpenSSH certificate of that key", body, file},
      {"--passphrase", "ssh.passphrase", "File whose first line is the passphrase of the key", body,
       line},
      {"--password", "ssh.password", "File whose first line is the password to log in with", body,
       line},
      {"--insecure-tcp", "insecure_tcp", "Let tcp:// beyond this machine go unencrypted", body, on},
  };
  return parameters;
}

Parameters with_reach(Parameters parameters) {
  parameters.insert(parameters.end(), reach_parameters().begin(), reach_parameters().end());
  return parameters;
}

const Parameters& add_parameters() {
  static const auto parameters = with_reach(
      {{"NAME", "name", "What to call it: a-z, 0-9, '.', '_', '-'"},
       {"ENDPOINT", "endpoint", "unix://…, tcp://…, tls://… or ssh://[user@]host[:port]"},
       {"--default", "default", "Make it the default host", body, on}});
  return parameters;
}

const Parameters& update_parameters() {
  static const auto parameters = with_reach(
      {{"NAME", "name", "The host", path}, {"--endpoint", "endpoint", "How it is reached"}});
  return parameters;
}

constexpr std::string_view one = "/api/v1/hosts/{name}";

constexpr std::string_view add_examples =
    "  gantry hosts add web1 ssh://deploy@web1.example.org --identity ~/.ssh/id_ed25519\n"
    "  gantry hosts add db1 tls://db1.example.org:2376 --ca ca.pem --cert cert.pem --key key.pem\n"
    "  gantry hosts add lab ssh://lab --jump bastion.example.org --group test";
constexpr std::string_view import_examples =
    "  gantry hosts import production            a context of this user\n"
    "  gantry hosts import production.dockercontext --name prod\n"
    "  gantry hosts import --all";

// What changes one member only sends that member.
constexpr std::array enable_parameters{Parameter{"NAME", "name", "The host", path},
                                       Parameter{"", "enabled", "", body, on}};
constexpr std::array disable_parameters{Parameter{"NAME", "name", "The host", path},
                                        Parameter{"", "enabled", "", body, off}};
constexpr std::array default_parameters{Parameter{"NAME", "name", "The host", path},
                                        Parameter{"", "default", "", body, on}};

constexpr std::array looks{
    Verb{.command = "hosts",
         .action = "list",
         .help = "List hosts",
         .path = "/api/v1/hosts",
         .columns = columns},
    Verb{.command = "hosts",
         .action = "show",
         .help = "Show all that is known of a host",
         .path = one,
         .parameters = one_host},
    Verb{.command = "hosts",
         .action = "test",
         .help = "Test a host step by step",
         .method = "POST",
         .path = "/api/v1/hosts/{name}/test",
         .parameters = one_host,
         .runner = run_host_test},
    Verb{.command = "hosts",
         .action = "doctor",
         .help = "Show why a host can not be used, and what has changed since last time",
         .path = "/api/v1/hosts/{name}/doctor",
         .parameters = one_host,
         .runner = run_host_doctor},
    Verb{.command = "hosts",
         .action = "disk",
         .help = "Show what takes the disk of a host",
         .path = "/api/v1/hosts/{host}/disk-usage",
         .parameters = disk_parameters,
         .runner = run_disk},
};

/// How hosts come, and how they are reached.
std::array<Verb, 3> arrivals() {
  return {
      Verb{.command = "hosts",
           .action = "add",
           .help = "Add a host",
           .method = "POST",
           .path = "/api/v1/hosts",
           .parameters = add_parameters(),
           .done = "host '{name}' is added",
           .examples = add_examples},
      Verb{.command = "hosts",
           .action = "import",
           .help = "Add hosts from Docker's contexts",
           .parameters = import_parameters,
           .runner = run_host_import,
           .examples = import_examples},
      Verb{.command = "hosts",
           .action = "update",
           .help = "Change a host",
           .method = "PATCH",
           .path = one,
           .parameters = update_parameters(),
           .done = "host '{name}' is changed"},
  };
}

constexpr std::array changes{
    Verb{.command = "hosts",
         .action = "rename",
         .help = "Rename a host",
         .method = "PATCH",
         .path = "/api/v1/hosts/{host}",
         .parameters = rename_parameters,
         .done = "host '{host}' is called '{name}' now"},
    Verb{.command = "hosts",
         .action = "trust",
         .help = "Trust the key that a host shows",
         .method = "POST",
         .path = "/api/v1/hosts/{name}/trust",
         .parameters = trust_parameters,
         .done = "the key of host '{name}' is trusted"},
    Verb{.command = "hosts",
         .action = "enable",
         .help = "Use a host again",
         .method = "PATCH",
         .path = one,
         .parameters = enable_parameters,
         .done = "host '{name}' is enabled"},
    Verb{.command = "hosts",
         .action = "disable",
         .help = "Leave a host alone for now",
         .method = "PATCH",
         .path = one,
         .parameters = disable_parameters,
         .done = "host '{name}' is disabled"},
    Verb{.command = "hosts",
         .action = "default",
         .help = "Make a host the default one",
         .method = "PATCH",
         .path = one,
         .parameters = default_parameters,
         .done = "host '{name}' is the default now"},
    Verb{.command = "hosts",
         .action = "remove",
         .help = "Forget a host; nothing on it changes",
         .method = "DELETE",
         .path = one,
         .parameters = one_host,
         .done = "host '{name}' is removed"},
};

std::vector<Verb> joined() {
  std::vector<Verb> all{looks.begin(), looks.end()};
  std::ranges::copy(arrivals(), std::back_inserter(all));
  all.insert(all.end(), changes.begin(), changes.end());
  return all;
}

}  // namespace

std::span<const Verb> host_verbs() {
  static const auto verbs = joined();
  return verbs;
}

}  // namespace gantry::cli
