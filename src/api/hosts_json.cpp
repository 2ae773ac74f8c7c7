#include "api/hosts_json.hpp"

#include "api/json_text.hpp"
#include "api/reply.hpp"
#include "base/text.hpp"
#include "fleet/query.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace gantry::api {
namespace {

using fleet::HostConfig;
using fleet::HostWish;

constexpr json::TextBounds pem_bounds{0, 48U << 10U};
constexpr json::TextBounds password_bounds{0, 4'096};
constexpr json::TextBounds path_bounds{0, 1'024};
constexpr std::size_t texts_max = 1'024;  // what is sensible is fleet's to judge

json::Object engine_json(const fleet::HostView& view) {
  const auto& system = *view.system;
  json::Object engine{{"name", text::one_line(system.name)},
                      {"version", text::one_line(system.engine_version)},
                      {"os", text::one_line(system.os)},
                      {"architecture", text::one_line(system.architecture)},
                      {"kernel", text::one_line(system.kernel)},
                      {"cpus", system.cpus},
                      {"memory_bytes", system.memory_bytes}};
  if (view.api_version) engine["api_version"] = view.api_version->text();
  return engine;
}

json::Object counts_json(const fleet::Host& host, const fleet::Sight& sight) {
  std::int64_t total = 0;
  std::int64_t running = 0;
  for (const auto& container : host.view().containers) {
    if (!sight.sees(container)) continue;
    ++total;
    running += container.state == "running" ? 1 : 0;
  }
  return {{"total", total}, {"running", running}};
}

json::Array texts_json(const std::vector<std::string>& texts) {
  json::Array out;
  for (const auto& text : texts) out.emplace_back(text::one_line(text));
  return out;
}

json::Object tls_json(const fleet::HostTls& tls) {
  return {{"ca", !tls.authorities.empty()},
          {"certificate", !tls.certificate.empty()},
          {"key", !tls.key.empty()}};
}

json::Object ssh_json(const net::SshSettings& ssh) {
  json::Array jumps;
  for (const auto& hop : ssh.jumps) jumps.emplace_back(hop.text());
  return {{"jump", std::move(jumps)},
          {"identity", !ssh.identity.empty()},
          {"identity_file", ssh.identity_file},
          {"passphrase", !ssh.passphrase.empty()},
          {"password", !ssh.password.empty()},
          {"certificate", !ssh.certificate.empty()},
          {"use_agent", ssh.agent == net::SshSettings::Agent::used},
          {"config", ssh.config == net::SshSettings::UserConfig::read}};
}

HostWish::Tls read_tls(json::Fields& fields) {
  return {.authorities = fields.text("ca", pem_bounds),
          .certificate = fields.text("certificate", pem_bounds),
          .key = fields.text("key", pem_bounds)};
}

HostWish::Ssh read_ssh(json::Fields& fields) {
  using Agent = net::SshSettings::Agent;
  using Config = net::SshSettings::UserConfig;
  HostWish::Ssh ssh{.identity = fields.text("identity", pem_bounds),
                    .identity_file = fields.text("identity_file", path_bounds),
                    .passphrase = fields.text("passphrase", password_bounds),
                    .password = fields.text("password", password_bounds),
                    .certificate = fields.text("certificate", pem_bounds)};
  if (fields.member("jump") != nullptr) {
    ssh.jumps = fields.texts("jump", net::ssh_jumps_max, {1, 320});
  }
  if (auto used = fields.boolean("use_agent")) ssh.agent = *used ? Agent::used : Agent::ignored;
  if (auto read = fields.boolean("config")) ssh.config = *read ? Config::read : Config::ignored;
  return ssh;
}

bool sees_whole(const HostConfig& config, const access::Rights& rights) {
  return rights.role_on(config.name, config.groups, {}).has_value();
}

/// What everybody may know who knows of the host; the rest as if nothing were said of it.
json::Object outline_json(const fleet::Host& host, const access::Rights& rights) {
  const auto& config = host.config();
  const auto& view = host.view();
  return {{"name", config.name},
          {"endpoint", ""},
          {"labels", json::Object{}},
          {"groups", json::Array{}},
          {"note", ""},
          {"default", config.usual == HostConfig::Usual::yes},
          {"enabled", config.enabled()},
          {"insecure_tcp", false},
          {"follows_engine_option", false},
          {"state", word(view.state)},
          {"since", rfc3339(view.since)},
          {"containers", counts_json(host, {rights, config})},
          {"stale", view.stale},
          {"as_of", time_or_null(view.as_of)},
          {"warnings", json::Array{}},
          {"via", nullptr},
          {"created_at", rfc3339(config.created_at)},
          {"updated_at", rfc3339(config.updated_at)}};
}

/// A member that is an object of its own.
template <class Part>
std::optional<Part> read_part(json::Fields& fields, std::string_view key,
                              Part (*read)(json::Fields&)) {
  const auto* value = fields.member(key);
  if (value == nullptr) return std::nullopt;
  json::Fields inner{*value, std::string{key}, json::Keys::strict};
  auto part = read(inner);
  if (auto done = inner.finish(); !done) fields.adopt(done.error());
  return part;
}

}  // namespace

json::Object host_json(const fleet::Host& host, const access::Rights& rights) {
  const auto& config = host.config();
  const auto& view = host.view();
  auto out = outline_json(host, rights);
  if (auto error = host_error(host, rights)) out["error"] = error_json(*error);
  if (!sees_whole(config, rights)) return out;
  json::Object labels;
  for (const auto& [name, value] : config.labels) labels[name] = value;
  out["endpoint"] = config.endpoint.text();
  out["labels"] = std::move(labels);
  out["groups"] = texts_json(config.groups);
  out["note"] = config.note;
  out["insecure_tcp"] = config.clear_text == fleet::ClearText::allowed;
  out["follows_engine_option"] = config.follows_option();
  out["warnings"] = texts_json(host.warnings());
  if (!host.via().empty()) out["via"] = host.via();
  if (view.system) out["engine"] = engine_json(view);
  if (rights.role_on(config.name, config.groups, {}) != access::Role::admin) return out;
  if (config.endpoint.scheme() == net::Endpoint::Scheme::tls)
    out["tls"] = tls_json(host.reach().tls);
  if (config.endpoint.scheme() == net::Endpoint::Scheme::ssh)
    out["ssh"] = ssh_json(host.reach().ssh);
  return out;
}

std::optional<Error> host_error(const fleet::Host& host, const access::Rights& rights) {
  const auto& error = host.view().error;
  if (!error || sees_whole(host.config(), rights)) return error;
  return Error{error->kind, error->code, fmt::format("cannot reach host '{}'", host.name()),
               "ask somebody who sees the whole host"};
}

json::Object host_freshness_json(const fleet::Host& host, const access::Rights& rights) {
  const auto& view = host.view();
  json::Object out{{"name", host.name()},
                   {"state", word(view.state)},
                   {"stale", view.stale},
                   {"as_of", time_or_null(view.as_of)}};
  if (auto error = host_error(host, rights)) out["error"] = error_json(*error);
  return out;
}

json::Object probe_json(const fleet::Probe& probe) {
  json::Array steps;
  for (const auto& step : probe.steps) {
    json::Object item{{"step", step.step},
                      {"state", word(step.state)},
                      {"detail", text::one_line(step.detail)},
                      {"took_ms", step.took.count()}};
    if (!step.code.empty()) item["code"] = step.code;
    if (!step.remedy.empty()) item["remedy"] = step.remedy;
    if (!step.fingerprint.empty()) item["fingerprint"] = step.fingerprint;
    steps.push_back(std::move(item));
  }
  return {{"ok", probe.reached()}, {"steps", std::move(steps)}};
}

Result<HostWish> read_host_wish(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  HostWish wish{.name = fields.text("name", {1, 255}),
                .endpoint = fields.text("endpoint", {1, 1'024}),
                .note = fields.text("note", {0, 8'192})};
  if (fields.member("labels") != nullptr) {
    auto labels = fields.text_map("labels", texts_max, {0, 4'096});
    wish.labels.emplace(labels.begin(), labels.end());
  }
  if (fields.member("groups") != nullptr) wish.groups = fields.texts("groups", texts_max, {1, 255});
  if (auto usual = fields.boolean("default")) {
    wish.usual = *usual ? HostConfig::Usual::yes : HostConfig::Usual::no;
  }
  if (auto enabled = fields.boolean("enabled")) {
    wish.standing = *enabled ? fleet::Standing::enabled : fleet::Standing::disabled;
  }
  if (auto clear = fields.boolean("insecure_tcp")) {
    wish.clear_text = *clear ? fleet::ClearText::allowed : fleet::ClearText::refused;
  }
  wish.tls = read_part(fields, "tls", &read_tls);
  wish.ssh = read_part(fields, "ssh", &read_ssh);
  if (auto read = fields.finish(); !read) return fail(read.error());
  return wish;
}

}  // namespace gantry::api
