#include "doctor/findings.hpp"
#include "doctor/judges.hpp"
#include "doctor/services.hpp"
#include "net/endpoint.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

// What goes over networks: the way to the engine, names, registries; and the program that is run to
// see what it can reach.
namespace gantry::doctor::judge {
namespace {

using Scheme = net::Endpoint::Scheme;
using Role = RegistryFacts::Role;

constexpr auto soon = std::chrono::days{30};
Finding only_deep(const Facts& facts) {
  return unseen(facts.sight == Sight::here ? "looked at with --deep"
                                           : "looked at by 'gantry doctor --deep' over there");
}

/// The host of an endpoint that is not encrypted; empty: it is none.
std::string in_clear(const std::string& endpoint) {
  auto parsed = net::Endpoint::parse(endpoint);
  return parsed && parsed->scheme() == Scheme::tcp ? parsed->host() : std::string{};
}

bool is_here(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1";
}

std::string date(WallTime time) { return rfc3339(time).substr(0, 10); }

/// What a finding of several parts comes to: the worst of them.
void add(Finding& finding, std::vector<std::string>& parts, State state, std::string part) {
  finding.state = std::max(finding.state, state);
  parts.push_back(std::move(part));
}

std::vector<std::string> addresses_at(const std::vector<std::string>& all, std::string_view port) {
  std::vector<std::string> found;
  std::ranges::copy_if(all, std::back_inserter(found),
                       [&](const std::string& address) { return address.ends_with(port); });
  return found;
}

/// The engine's own words about an open port, which it says of itself wherever it is.
bool warns_of_open_port(const EngineFacts& engine) {
  return std::ranges::any_of(engine.warnings, [](const std::string& warning) {
    return warning.contains("API is accessible on http://");
  });
}

Step close_port(const Facts& facts, std::string_view instead) {
  return with_restart(facts, fmt::format("take 'tcp://' out of \"hosts\" in {} and out of the "
                                         "unit's command line, {}, and restart it",
                                         settings_file(facts), instead));
}

Finding open_port(const Facts& facts, const std::string& where) {
  return failed(fmt::format("Docker's TCP port is open {}", where),
                {close_port(facts, "reach the engine over SSH"),
                 {fmt::format("or demand certificates of clients: \"tlsverify\": true in {}",
                              settings_file(facts))}});
}

}  // namespace

Finding tls(const Facts& facts) {
  if (!facts.endpoint.tls) return skipped("the endpoint does not speak TLS");
  const auto& its = *facts.endpoint.tls;
  auto from = its.from.empty() ? std::string{"the system"} : fmt::format("{}", its.from);
  if (its.wrong) {
    auto look = from == facts.endpoint.source
                    ? fmt::format("docker context inspect {}", shell_word(facts.endpoint.context))
                    : fmt::format("ls -l {}", shell_word(from));
    return failed(its.wrong->message,
                  {{its.wrong->remedy.empty() ? "put the right files there" : its.wrong->remedy,
                    std::move(look)}});
  }
  Finding finding;
  std::vector<std::string> parts;
  for (const auto& [file, end] : its.certificates) {
    if (!end) continue;
    auto state = *end <= facts.at          ? State::failed
                 : *end <= facts.at + soon ? State::warning
                                           : State::ok;
    add(finding, parts, state,
        fmt::format("{} {} on {}", file, *end <= facts.at ? "ended" : "ends", date(*end)));
  }
  if (finding.state >= State::warning) {
    finding.remedy.push_back(
        {"have new certificates made by whoever runs the engine, and put them "
         "in the place of the old ones"});
  }
  if (!its.verified) {
    add(finding, parts, State::warning,
        "'docker' does not check who answers, so anybody on the way can be the engine");
    finding.remedy.push_back(
        facts.endpoint.context.empty()
            ? Step{"let it check, with the engine's ca.pem there", "export DOCKER_TLS_VERIFY=1"}
            : Step{"let it check", fmt::format("docker context update {} --docker "
                                               "host=…,ca=…/ca.pem,skip-tls-verify=false",
                                               shell_word(facts.endpoint.context))});
  }
  finding.summary = parts.empty() ? fmt::format("trusted by the authorities of {}", from)
                                  : fmt::format("of {}: {}", from, fmt::join(parts, "; "));
  return finding;
}

Finding exposed(const Facts& facts) {
  if (auto open = addresses_at(facts.exposed, ":2375"); !open.empty()) {
    return open_port(facts, fmt::format("to the network on {}", fmt::join(open, ", ")));
  }
  if (warns_of_open_port(facts.engine))
    return open_port(facts, "without a password, as the engine says");
  auto host = in_clear(facts.endpoint.text);
  if (!host.empty() && facts.sight == Sight::engine) {
    return failed(fmt::format("'{}' is unencrypted and has no password", facts.endpoint.text),
                  {{"reach this host by an ssh:// or tls:// endpoint"}});
  }
  if (!host.empty() && !is_here(host)) {
    return failed(
        fmt::format("'{}' is unencrypted: whoever is on the network between owns that machine",
                    facts.endpoint.text),
        {{"use SSH or TLS instead", "docker context create far --docker host=ssh://user@host"}});
  }
  if (!host.empty()) {
    return failed(fmt::format("'{}' has no password: every program and user of this machine can "
                              "become root by it",
                              facts.endpoint.text),
                  {close_port(facts, "use the engine's Unix socket")});
  }
  if (facts.sight == Sight::engine) return unseen(facts.unseen);
  if (facts.exposed.empty()) return fine("no TCP port of Docker's is open to the network");
  return note(
      fmt::format("{} is open to the network: if that is the engine, see that it demands "
                  "certificates of clients (\"tlsverify\": true)",
                  fmt::join(facts.exposed, ", ")));
}

Finding names(const Facts& facts) {
  if (!facts.deep) return only_deep(facts);
  std::vector<std::string> unknown;
  std::vector<std::string> known;
  for (const auto& one : facts.deep->names) {
    (one.error ? unknown : known).push_back(one.host);
  }
  if (unknown.empty()) return fine(fmt::format("known: {}", fmt::join(known, ", ")));
  auto summary = fmt::format("nobody here knows {}", fmt::join(unknown, ", "));
  if (!facts.engine.proxy.empty()) {
    return note(
        fmt::format("{}; the engine leaves that to its proxy {}", summary, facts.engine.proxy));
  }
  return warning(
      std::move(summary),
      {{"see which name servers are asked, and whether they answer", "cat /etc/resolv.conf"},
       {"ask for one by hand", fmt::format("getent hosts {}", shell_word(unknown.front()))}});
}

Finding registry(const Facts& facts) {
  if (!facts.deep) return only_deep(facts);
  Finding finding;
  std::vector<std::string> parts;
  bool by_proxy = !facts.engine.proxy.empty();
  for (const auto& one : facts.deep->registries) {
    if (one.error) {
      add(finding, parts, by_proxy ? State::note : State::warning,
          fmt::format("{} does not serve: {}", one.address, one.error->message));
    } else if (one.unknown_certificate) {
      add(finding, parts, State::note,
          fmt::format("{} is there, and its certificate is nobody's (\"insecure-registries\")",
                      one.address));
    } else if (one.in_clear) {
      add(finding, parts, State::note, fmt::format("{} answers, unencrypted", one.address));
    } else {
      add(finding, parts, State::ok, fmt::format("{} answers", one.address));
    }
  }
  if (by_proxy) {
    add(finding, parts, State::note,
        fmt::format("asked from here; the engine itself goes by the proxy {}", facts.engine.proxy));
  }
  finding.summary = fmt::format("{}", fmt::join(parts, "; "));
  if (finding.state == State::warning) {
    finding.remedy = {
        with_restart(facts, fmt::format("let this machine reach it on port 443, or tell the engine "
                                        "of a proxy (\"proxies\" in {}) or of a mirror, and "
                                        "restart it",
                                        settings_file(facts))),
        {"without any, images can be made of this machine's own packages", "gantry images make"}};
  }
  return finding;
}

Finding sandbox(const Facts& facts) {
  if (!facts.deep) return only_deep(facts);
  if (!facts.deep->canary) return unseen("there is no engine to try it on");
  const auto& tried = *facts.deep->canary;
  if (!tried) {
    const auto& error = tried.error();
    auto state = error.code == "no_canary_image" ? State::warning : State::failed;
    return {
        state,
        error.message,
        {{error.remedy.empty() ? "see what the engine's log says of it" : error.remedy,
          state == State::warning ? "gantry images make sh" : "sudo journalctl -u docker -n 50"}}};
  }
  if (!tried->open.empty()) {
    return failed(
        fmt::format("a program in {} was not held: {}", tried->image, fmt::join(tried->open, "; ")),
        {{"run no strangers' programs on this engine until that is mended; the rows 'isolation' "
          "and 'cgroups' tell what it lacks"}});
  }
  auto summary = fmt::format("a program in {} was held by {}; images of {} languages are there",
                             tried->image, fmt::join(tried->held, ", "), tried->languages.size());
  if (tried->image_names.empty()) return fine(std::move(summary));
  return note(std::move(summary),
              {{"make the images of the other languages",
                fmt::format("gantry images make {}", fmt::join(tried->image_names, " "))}});
}

}  // namespace gantry::doctor::judge
