#include "doctor/endpoint_choice.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "doctor/files.hpp"
#include "doctor/usual.hpp"
#include "engine/docker_contexts.hpp"
#include "net/endpoint.hpp"
#include "net/tls_dates.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;

constexpr const char* no_context = "default";
constexpr std::string_view tcp = "tcp://";
constexpr std::string_view tls = "tls://";

/// `currentContext` of config.json; empty: none.
std::string context_in_use(const Environment& environment) {
  if (!environment.docker_context.empty()) return environment.docker_context;
  auto text = file_text(environment.docker_folder / "config.json").value_or("");
  auto value = json::parse(text, json::Keys::tolerant);
  if (!value) return {};
  json::Fields fields{*value, "", json::Keys::tolerant};
  return fields.text("currentContext").value_or("");
}

/// What Docker's client keeps for one endpoint, in PEM.
struct Material {
  std::string authorities;
  std::string certificate;
  std::string key;
};

void note_end(TlsFacts& facts, std::string file, const std::string& pem) {
  if (!pem.empty()) {
    facts.certificates.push_back({std::move(file), net::first_end_of_certificates(pem)});
  }
}

/// Whom to trust by it: Docker's client takes a folder's authority for the only one.
std::optional<net::TlsClient> client_with(const Material& material, TlsFacts& facts) {
  note_end(facts, "ca.pem", material.authorities);
  note_end(facts, "cert.pem", material.certificate);
  net::TlsClientSettings settings;
  settings.authorities = material.authorities;
  if (!material.authorities.empty()) settings.system = net::SystemAuthorities::ignored;
  if (!material.certificate.empty()) {
    settings.identity = net::TlsIdentity{material.certificate, Secret{material.key}};
  }
  auto client = net::TlsClient::make(settings);
  if (client) return std::move(*client);
  facts.wrong = client.error();
  return std::nullopt;
}

/// Empty where it is not there; noted as wrong where it may not be read.
std::string read_pem(const fs::path& file, TlsFacts& facts) {
  if (auto text = file_text(file)) return std::move(*text);
  int cause = errno;
  bool there = ::access(file.c_str(), F_OK) == 0;
  if (there && !facts.wrong) {
    facts.wrong = Error{ErrorKind::invalid, "file_unreadable",
                        fmt::format("cannot read '{}': {}", file.string(), std::strerror(cause)),
                        "let this user read it"};
  }
  return {};
}

Material material_in(const fs::path& folder, TlsFacts& facts) {
  return {.authorities = read_pem(folder / "ca.pem", facts),
          .certificate = read_pem(folder / "cert.pem", facts),
          .key = read_pem(folder / "key.pem", facts)};
}

/// With DOCKER_HOST and --engine the certificates lie in a folder.
void choose_certificates(Choice& choice, const Environment& environment) {
  bool verified = !environment.docker_tls_verify.empty() || choice.facts.source == "--engine";
  bool named = !environment.docker_cert_path.empty();
  auto folder = named ? environment.docker_cert_path : environment.docker_folder;
  TlsFacts facts{.from = folder.string(), .verified = verified, .certificates = {}, .wrong = {}};
  auto material = material_in(folder, facts);
  if (material.authorities.empty() && verified && (named || choice.facts.source != "--engine") &&
      !facts.wrong) {
    facts.wrong = Error{ErrorKind::not_found, "no_authority",
                        fmt::format("cannot speak TLS to '{}': there is no '{}'", choice.facts.text,
                                    (folder / "ca.pem").string()),
                        "name the folder of ca.pem, cert.pem and key.pem with DOCKER_CERT_PATH"};
  }
  bool nothing = material.authorities.empty() && material.certificate.empty();
  if (nothing && !facts.wrong) facts.from.clear();
  if (!facts.wrong) choice.tls = client_with(material, facts);
  choice.facts.tls = std::move(facts);
}

void choose_context(Choice& choice, const Environment& environment) {
  auto& facts = choice.facts;
  facts.source = fmt::format("context '{}'", facts.context);
  if (!environment.docker_context.empty()) facts.variable = "DOCKER_CONTEXT";
  auto context = engine::read_any_own_context(environment.docker_folder, facts.context);
  if (!context) {
    facts.wrong = context.error();
    facts.wrong->remedy = "choose another one with 'docker context use default'";
    return;
  }
  facts.text = context->endpoint;
  if (!facts.text.starts_with(tls)) return;
  facts.tls = TlsFacts{
      .from = facts.source, .verified = context->verified, .certificates = {}, .wrong = {}};
  choice.tls = client_with({context->authorities, context->certificate, context->key}, *facts.tls);
}

/// As Docker's client does: without a scheme it is TCP, and without a host this one.
std::string with_scheme(std::string_view host) {
  host = text::trimmed(host);
  if (host.empty()) return std::string{usual_endpoint};
  if (host.contains("://")) return std::string{host};
  return fmt::format("{}{}{}", tcp, host.starts_with(':') ? "localhost" : "", host);
}

/// Docker's client says `tcp://` to both.
void choose_variable(Choice& choice, const Environment& environment) {
  auto& facts = choice.facts;
  facts.source = facts.variable = "DOCKER_HOST";
  facts.text = with_scheme(environment.docker_host);
  bool secured = !environment.docker_tls_verify.empty() || !environment.docker_tls.empty();
  if (secured && facts.text.starts_with(tcp)) {
    facts.text = fmt::format("{}{}", tls, facts.text.substr(tcp.size()));
  }
}

void check_endpoint(Choice& choice) {
  if (choice.facts.wrong) return;
  auto parsed = net::Endpoint::parse(choice.facts.text);
  if (!parsed) choice.facts.wrong = parsed.error();
}

/// What nobody has to be asked for.
Choice named_choice(const Question& question, const Environment& environment) {
  Choice choice;
  if (!question.endpoint.empty()) {
    choice.facts.source = "--engine";
    choice.facts.text = question.endpoint;
  } else if (!environment.docker_host.empty()) {
    choose_variable(choice, environment);
  }
  return choice;
}

void choose_default(Choice& choice) {
  choice.facts.source = "the default";
  choice.facts.text = usual_endpoint;
}

}  // namespace

Choice choose_endpoint(const Question& question, const Environment& environment) {
  auto choice = named_choice(question, environment);
  auto& facts = choice.facts;
  facts.contexts = engine::own_context_names(environment.docker_folder);
  facts.context = context_in_use(environment);
  if (facts.context == no_context) facts.context.clear();
  if (!facts.text.empty()) {
    if (facts.text.starts_with(tls)) choose_certificates(choice, environment);
  } else if (!facts.context.empty()) {
    choose_context(choice, environment);
  } else {
    choose_default(choice);
  }
  check_endpoint(choice);
  return choice;
}

Choice choose_without_files(const Question& question, const Environment& environment) {
  auto choice = named_choice(question, environment);
  if (choice.facts.text.empty()) choose_default(choice);
  check_endpoint(choice);
  return choice;
}

}  // namespace gantry::doctor
