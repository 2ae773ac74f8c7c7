#include "doctor/findings.hpp"
#include "doctor/judges.hpp"
#include "doctor/services.hpp"
#include "doctor/usual.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

// Which engine is meant, and what is at its place.
namespace gantry::doctor::judge {
namespace {

using Kind = SocketFile::Kind;

/// /var/run leads to /run.
constexpr std::string_view same_socket = "/run/docker.sock";

bool is_usual(std::string_view path) { return path == usual_socket || path == same_socket; }

Step mount_it(const std::string& path) {
  return {fmt::format("give the container the host's socket; with Compose: volumes: "
                      "[\"{0}:{0}\"]",
                      path),
          fmt::format("docker run -v {0}:{0} …", shell_word(path))};
}

/// A context of its own for a socket, so that it is found without a variable. None that is there is
/// changed.
std::string context_command(const EndpointFacts& chosen, const std::string& path) {
  const std::string word = path.starts_with("/run/user/") ? "rootless" : "other";
  auto name = word;
  for (int number = 2; std::ranges::find(chosen.contexts, name) != chosen.contexts.end();
       ++number) {
    name = fmt::format("{}-{}", word, number);
  }
  return fmt::format("docker context create {0} --docker host=unix://{1} && docker context use {0}",
                     name, shell_word(path));
}

/// Takes back what has chosen the endpoint, where the usual socket is chosen after that.
std::optional<Step> choose_usual(const EndpointFacts& chosen) {
  if (chosen.variable == "DOCKER_HOST" && !chosen.context.empty()) {
    return Step{"choose the usual one", fmt::format("export DOCKER_HOST={}", usual_endpoint)};
  }
  if (!chosen.variable.empty()) {
    return Step{"take the setting away", fmt::format("unset {}", chosen.variable)};
  }
  if (!chosen.source.starts_with("context ")) return std::nullopt;
  // While the context in use is not there, Docker 20.10 refuses each command without the option.
  return Step{"choose the usual one", "docker --context default context use default"};
}

/// By an option or a setting, and not by what `docker` goes by: then that one is meant.
bool is_named(const EndpointFacts& chosen) {
  return chosen.source != "the default" && !choose_usual(chosen);
}

std::vector<Step> use_other(const Facts& facts, const std::string& other) {
  const auto& chosen = facts.endpoint;
  if (facts.sight == Sight::far) return {name_in_endpoint(chosen, other)};
  if (is_named(chosen)) return {{fmt::format("name that one instead: unix://{}", other)}};
  auto usual = choose_usual(chosen);
  if (usual && is_usual(other)) return {*usual};
  std::vector<Step> steps{
      {"use that one", fmt::format("export DOCKER_HOST=unix://{}", shell_word(other))}};
  if (chosen.variable.empty()) steps.push_back({"or for good", context_command(chosen, other)});
  return steps;
}

/// Of the other sockets one that lets the subject in, if there is one.
const SocketFile& best_other(const Facts& facts) {
  const auto& who = facts.subject;
  auto open = std::ranges::find_if(facts.other_sockets, [&](const SocketFile& other) {
    return may_connect(other, who.uid, who.groups());
  });
  return open == facts.other_sockets.end() ? facts.other_sockets.front() : *open;
}

void add_start(const Facts& facts, std::string what, std::vector<Step>& steps) {
  steps.push_back({std::move(what), engine_command(facts, &EngineCommands::start)});
  if (auto at_boot = engine_command(facts, &EngineCommands::at_boot); !at_boot.empty()) {
    steps.push_back({"and at each boot", std::move(at_boot)});
  }
  steps.push_back(
      {"where it does not start, see why", engine_command(facts, &EngineCommands::log)});
}

/// There is another engine, with containers of its own, where this one's socket is not.
std::vector<Step> start_or_use(const Facts& facts, const std::string& other) {
  std::vector<Step> steps;
  bool named = is_named(facts.endpoint);
  bool startable = facts.engine_installed && !facts.engine_is_outside();
  auto whose = whose_engine(facts);
  // Where the machine's own engine listens, its start makes no socket elsewhere.
  bool mistaken = named && !whose && is_usual(other);
  if (whose) {
    add_start(facts, fmt::format("start the engine of user {}", *whose), steps);
  } else if (named && startable && !mistaken) {
    add_start(facts, "start the engine, unless it runs", steps);
  }
  for (auto& step : use_other(facts, other)) steps.push_back(std::move(step));
  if (startable && (mistaken || (!named && is_usual(facts.socket->path)))) {
    add_start(facts, "or start the engine that listens at the usual place", steps);
  }
  return steps;
}

/// Neither here nor elsewhere: the engine does not run, or nobody can know where it listens.
Finding nowhere(const Facts& facts) {
  const auto& path = facts.socket->path;
  bool usual = is_usual(path);
  std::vector<Step> steps;
  auto step = choose_usual(facts.endpoint);
  if (step && !usual) steps.push_back(*step);
  add_start(facts, usual ? "start it" : "start the engine, unless it runs", steps);
  return failed(
      usual ? fmt::format("there is no '{}': the engine does not run", path)
            : fmt::format("there is no '{}', to which {} leads", path, facts.endpoint.source),
      std::move(steps));
}

Finding missing(const Facts& facts) {
  const auto& path = facts.socket->path;
  if (!facts.other_sockets.empty()) {
    const auto& other = best_other(facts).path;
    return failed(fmt::format("there is no '{}', but an engine's socket at '{}'", path, other),
                  start_or_use(facts, other));
  }
  if (facts.engine_is_outside()) {
    std::vector<Step> steps{mount_it(path)};
    if (facts.engine_installed) {
      add_start(facts, "or start the engine that is installed in this container", steps);
    }
    return failed(fmt::format("there is no '{}' in this container: nobody mounted it", path),
                  std::move(steps));
  }
  if (facts.engine_installed) return nowhere(facts);
  return failed(fmt::format("there is no '{}', and no Docker engine is installed", path),
                {{"install one (Debian, Ubuntu)", "sudo apt install docker.io"}});
}

Finding not_a_socket(const Facts& facts) {
  const auto& socket = *facts.socket;
  bool folder = socket.kind == Kind::folder;
  auto summary =
      fmt::format("'{}' is {}: {}", socket.path, folder ? "a folder" : "no socket",
                  folder ? "Docker makes one where a container mounts a socket that is not there"
                         : "something else has its name");
  if (facts.engine_is_outside()) {
    return failed(
        std::move(summary),
        {{"mend it on the machine itself, then make this container anew", "gantry doctor"}});
  }
  // At another place it may be a file that is needed, and only the setting is wrong.
  if (!is_usual(socket.path)) {
    if (!facts.other_sockets.empty()) {
      return failed(std::move(summary), use_other(facts, best_other(facts).path));
    }
    return failed(
        std::move(summary),
        {choose_usual(facts.endpoint).value_or(Step{"name the engine's socket instead"})});
  }
  auto away = folder ? fmt::format("sudo rmdir {}", socket.path)
                     : fmt::format("sudo mv {0} {0}.old", socket.path);
  return failed(std::move(summary),
                {{"stop the engine, clear the place, and let it make its socket",
                  fmt::format("{}; {} && {}", engine_command(facts, &EngineCommands::stop), away,
                              engine_command(facts, &EngineCommands::start))}});
}

Finding hidden(const Facts& facts) {
  const auto& path = facts.socket->path;
  const auto& by = facts.socket->shut_by;
  std::vector<Step> steps;
  if (!facts.other_sockets.empty()) steps = use_other(facts, best_other(facts).path);
  steps.push_back({"look where it stops", fmt::format("namei -l {}", shell_word(path))});
  auto folder = by.empty() ? std::string{"a folder on the way"} : fmt::format("'{}'", by);
  return failed(fmt::format("'{}' can not be seen: {} may not be entered", path, folder),
                std::move(steps));
}

Finding wrong_choice(const EndpointFacts& chosen) {
  std::vector<Step> steps;
  if (!chosen.wrong->remedy.empty()) steps.push_back({chosen.wrong->remedy});
  if (auto usual = choose_usual(chosen)) steps.push_back(*usual);
  if (steps.empty()) steps.push_back({"name another endpoint"});
  return failed(chosen.wrong->message, std::move(steps));
}

}  // namespace

Finding endpoint(const Facts& facts) {
  const auto& chosen = facts.endpoint;
  if (chosen.wrong) return wrong_choice(chosen);
  auto summary = fmt::format("{}, by {}", chosen.text, chosen.source);
  if (!chosen.there.empty()) {
    return note(fmt::format("{}; 'docker' goes by {} there, also for 'docker system dial-stdio'",
                            summary, chosen.there),
                {{"name the socket's path in the host's endpoint"}});
  }
  bool overrules = chosen.variable == "DOCKER_HOST" && !chosen.context.empty();
  if (overrules) summary += fmt::format("; it overrules the context '{}'", chosen.context);
  // Of a socket that is not there, its own check tells where else one is.
  bool two = facts.usable_socket() != nullptr && !facts.other_sockets.empty();
  if (!two) return overrules ? note(std::move(summary)) : fine(std::move(summary));
  const auto& other = best_other(facts).path;
  return note(fmt::format("{}; there is another engine's socket at '{}'", summary, other),
              use_other(facts, other));
}

Finding socket(const Facts& facts) {
  if (!facts.socket) return without_socket(facts);
  const auto& socket = *facts.socket;
  switch (socket.kind) {
    case Kind::missing:
      return missing(facts);
    case Kind::hidden:
      return hidden(facts);
    case Kind::file:
    case Kind::folder:
    case Kind::other:
      return not_a_socket(facts);
    case Kind::socket:
      break;
  }
  auto summary =
      fmt::format("{} {} {} {}", mode_text(socket.mode),
                  socket.owner.empty() ? std::to_string(socket.uid) : socket.owner,
                  socket.group.empty() ? std::to_string(socket.gid) : socket.group, socket.path);
  if (!socket.leads_to.empty()) summary += " -> " + socket.leads_to;
  if (!socket.acl.empty()) summary += ", with an access control list";
  if (!socket.read_only_mount || !socket.mounted) return fine(std::move(summary));
  return note(summary + "; mounted read-only, which protects nothing: who connects may do all");
}

}  // namespace gantry::doctor::judge
