#include "fleet/hosts.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "net/tls.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

using Scheme = net::Endpoint::Scheme;

std::unexpected<Error> refused(std::string_view field, std::string_view reason) {
  return fail(json::field_error(field, reason));
}

/// The part of an error's message that tells the cause.
std::string cause_of(const Error& error) {
  auto colon = error.message.find(": ");
  return colon == std::string::npos ? error.message : error.message.substr(colon + 2);
}

/// Which member the settings for SSH refuse: `cannot use the passphrase for SSH: …`.
std::string ssh_member_of(const Error& error) {
  for (auto member : {"identity", "identity_file", "passphrase", "password", "certificate"}) {
    if (error.message.starts_with(fmt::format("cannot use the {} for SSH", member))) {
      return fmt::format("ssh.{}", member);
    }
  }
  return "ssh";
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check_labels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > host_labels_max) {
    return refused("labels", fmt::format("must have at most {} members", host_labels_max));
  }
  for (const auto& [name, value] : labels) {
    if (name.empty() || name.size() > host_label_name_max || has_control(name)) {
      return refused("labels", fmt::format("must have names of 1 to {} bytes without control "
                                           "characters",
                                           host_label_name_max));
    }
    if (value.size() > host_label_value_max || has_control(value)) {
      return refused("labels", fmt::format("must have values of at most {} bytes without control "
                                           "characters",
                                           host_label_value_max));
    }
  }
  return ok;
}

Result<> check_groups(const std::vector<std::string>& groups) {
  if (groups.size() > host_groups_max) {
    return refused("groups", fmt::format("must have at most {} items", host_groups_max));
  }
  if (!std::ranges::all_of(groups, valid_host_name)) {
    return refused("groups",
                   "must hold names of 1 to 63 characters: small letters, digits, '_', "
                   "'.' and '-', the first a letter or a digit");
  }
  return ok;
}

Result<> take_words(HostConfig& config, const HostWish& wish) {
  if (wish.name) {
    if (!valid_host_name(*wish.name)) {
      return refused("name",
                     "must be 1 to 63 small letters, digits, '_', '.' and '-', the first a "
                     "letter or a digit");
    }
    config.name = *wish.name;
  }
  if (wish.labels) {
    if (auto checked = check_labels(*wish.labels); !checked) return checked;
    config.labels = *wish.labels;
  }
  if (wish.groups) {
    if (auto checked = check_groups(*wish.groups); !checked) return checked;
    auto groups = *wish.groups;
    std::ranges::sort(groups);
    auto doubles = std::ranges::unique(groups);
    groups.erase(doubles.begin(), doubles.end());
    config.groups = std::move(groups);
  }
  if (wish.note) {
    if (wish.note->size() > host_note_max) {
      return refused("note", fmt::format("must have at most {} bytes", host_note_max));
    }
    config.note = *wish.note;
  }
  config.usual = wish.usual.value_or(config.usual);
  config.standing = wish.standing.value_or(config.standing);
  config.clear_text = wish.clear_text.value_or(config.clear_text);
  return ok;
}

void take(std::string& into, const std::optional<std::string>& text) {
  if (text) into = *text;
}
void take(Secret& into, const std::optional<std::string>& text) {
  if (text) into = Secret{*text};
}

/// What opens one machine is not shown to another: where the way leads elsewhere, it must be given
/// anew.
void forget_elsewhere(const HostReach& before, HostReach& reach) {
  if (reach.endpoint.host() != before.endpoint.host()) {
    reach.tls.certificate.clear();
    reach.tls.key = Secret{};
  }
  auto& ssh = reach.ssh;
  if (reach.endpoint.hop() == before.endpoint.hop() && ssh.jumps == before.ssh.jumps) return;
  ssh.identity = Secret{};
  ssh.passphrase = Secret{};
  ssh.password = Secret{};
  ssh.certificate.clear();
}

Result<> take_tls(HostReach& reach, const HostWish::Tls& wish) {
  take(reach.tls.authorities, wish.authorities);
  take(reach.tls.certificate, wish.certificate);
  take(reach.tls.key, wish.key);
  auto client = tls_client(reach.tls);
  if (!client) return fail(client.error());
  return ok;
}

Result<> take_ssh(const HostReach& before, HostReach& reach, const HostWish::Ssh& wish) {
  auto& ssh = reach.ssh;
  if (wish.jumps) {
    auto jumps = net::SshSettings::parse_jumps(*wish.jumps);
    if (!jumps)
      return refused("ssh.jump", fmt::format("must hold hosts: {}", cause_of(jumps.error())));
    ssh.jumps = std::move(*jumps);
    forget_elsewhere(before, reach);
  }
  take(ssh.identity, wish.identity);
  take(ssh.identity_file, wish.identity_file);
  take(ssh.passphrase, wish.passphrase);
  take(ssh.password, wish.password);
  take(ssh.certificate, wish.certificate);
  ssh.agent = wish.agent.value_or(ssh.agent);
  ssh.config = wish.config.value_or(ssh.config);
  if (auto checked = ssh.check(); !checked) {
    return refused(ssh_member_of(checked.error()),
                   fmt::format("can not be used: {}", cause_of(checked.error())));
  }
  return ok;
}

/// Which part of a wish is about which transport.
Result<> check_fits(const HostWish& wish, Scheme scheme) {
  if (wish.tls && scheme != Scheme::tls) {
    return refused("tls", "must not be there: it is for endpoints tls://…");
  }
  if (wish.ssh && scheme != Scheme::ssh) {
    return refused("ssh", "must not be there: it is for endpoints ssh://…");
  }
  if (wish.clear_text == ClearText::allowed && scheme != Scheme::tcp) {
    return refused("insecure_tcp", "must not be true: it is for endpoints tcp://…");
  }
  return ok;
}

Result<> take_endpoint(HostRecord& record, const std::string& text) {
  auto endpoint = net::Endpoint::parse(text);
  if (!endpoint) {
    return refused("endpoint", fmt::format("must be an endpoint: {}; {}",
                                           cause_of(endpoint.error()), endpoint.error().remedy));
  }
  // What opened the old door has nothing to do with the new one's sort.
  if (endpoint->scheme() != Scheme::tls) record.reach.tls = {};
  if (endpoint->scheme() != Scheme::ssh) record.reach.ssh = {};
  if (endpoint->scheme() != Scheme::tcp) record.config.clear_text = ClearText::refused;
  record.config.endpoint = *endpoint;
  record.reach.endpoint = std::move(*endpoint);
  record.reach.unusable.reset();
  return ok;
}

Result<> check_option_followed(const HostWish& wish) {
  std::array<std::pair<const char*, bool>, 4> fixed{
      {{"endpoint", wish.endpoint.has_value()},
       {"tls", wish.tls.has_value()},
       {"ssh", wish.ssh.has_value()},
       {"insecure_tcp", wish.clear_text.has_value()}}};
  for (auto [field, given] : fixed) {
    if (given) {
      return refused(field,
                     "must not be there: how this host is reached follows the server's "
                     "option --engine");
    }
  }
  return ok;
}

json::Array hops_json(const std::vector<net::SshHop>& hops) {
  json::Array out;
  for (const auto& hop : hops) out.emplace_back(hop.text());
  return out;
}

/// All that is sealed, in one object.
json::Object secrets_json(const HostReach& reach) {
  const auto& [endpoint, tls, ssh, unusable] = reach;
  json::Object out;
  auto put = [&](const char* name, std::string_view text) {
    if (!text.empty()) out[name] = text;
  };
  put("tls_ca", tls.authorities);
  put("tls_certificate", tls.certificate);
  put("tls_key", tls.key.reveal());
  if (!ssh.jumps.empty()) out["ssh_jumps"] = hops_json(ssh.jumps);
  put("ssh_identity", ssh.identity.reveal());
  put("ssh_identity_file", ssh.identity_file);
  put("ssh_passphrase", ssh.passphrase.reveal());
  put("ssh_password", ssh.password.reveal());
  put("ssh_certificate", ssh.certificate);
  if (ssh.agent == net::SshSettings::Agent::used) out["ssh_agent"] = true;
  if (ssh.config == net::SshSettings::UserConfig::read) out["ssh_config"] = true;
  return out;
}

constexpr json::TextBounds stored_text{0, 1U << 20U};

void read_secrets(const json::Value& value, HostReach& reach) {
  json::Fields fields{value, "", json::Keys::tolerant};
  auto text = [&](const char* name) { return fields.text(name, stored_text).value_or(""); };
  reach.tls.authorities = text("tls_ca");
  reach.tls.certificate = text("tls_certificate");
  reach.tls.key = Secret{text("tls_key")};
  auto& ssh = reach.ssh;
  ssh.jumps =
      value_or_throw(net::SshSettings::parse_jumps(fields.texts("ssh_jumps", net::ssh_jumps_max)));
  ssh.identity = Secret{text("ssh_identity")};
  ssh.identity_file = text("ssh_identity_file");
  ssh.passphrase = Secret{text("ssh_passphrase")};
  ssh.password = Secret{text("ssh_password")};
  ssh.certificate = text("ssh_certificate");
  if (fields.boolean("ssh_agent").value_or(false)) ssh.agent = net::SshSettings::Agent::used;
  if (fields.boolean("ssh_config").value_or(false)) {
    ssh.config = net::SshSettings::UserConfig::read;
  }
  value_or_throw(fields.finish());
}

std::string context_of(const HostId& id) { return "host " + id.text(); }

std::map<std::string, std::string> stored_labels(const std::string& text) {
  std::map<std::string, std::string> labels;
  for (const auto& [name, value] :
       value_or_throw(json::parse(text, json::Keys::strict)).as_object()) {
    labels.emplace(name, value.as_string());
  }
  return labels;
}

std::vector<std::string> stored_groups(const std::string& text) {
  std::vector<std::string> groups;
  for (const auto& value : value_or_throw(json::parse(text, json::Keys::strict)).as_array()) {
    groups.emplace_back(value.as_string());
  }
  return groups;
}

}  // namespace

Result<HostRecord> fulfilled(const HostRecord& before, const HostWish& wish) {
  auto record = before;
  bool fresh = before.config.id.empty();
  if (fresh && !wish.name) return refused("name", "is required");
  if (fresh && !wish.endpoint) return refused("endpoint", "is required");
  if (before.config.follows_option()) {
    if (auto fits = check_option_followed(wish); !fits) return fail(fits.error());
  }
  if (wish.endpoint) {
    if (auto taken = take_endpoint(record, *wish.endpoint); !taken) return fail(taken.error());
    forget_elsewhere(before.reach, record.reach);
  }
  if (auto taken = take_words(record.config, wish); !taken) return fail(taken.error());
  if (auto fits = check_fits(wish, record.config.endpoint.scheme()); !fits) {
    return fail(fits.error());
  }
  if (wish.tls) {
    if (auto taken = take_tls(record.reach, *wish.tls); !taken) return fail(taken.error());
    record.reach.unusable.reset();
  }
  if (wish.ssh) {
    if (auto taken = take_ssh(before.reach, record.reach, *wish.ssh); !taken)
      return fail(taken.error());
    record.reach.unusable.reset();
  }
  bool clear = travels_in_clear(record.config.endpoint) && !record.config.follows_option();
  if (clear && record.config.clear_text != ClearText::allowed) {
    return refused("endpoint",
                   "must be tls://… or ssh://…: over tcp everything, passwords and root "
                   "on that machine, is open to the network; send \"insecure_tcp\": true "
                   "to have it so");
  }
  return record;
}

bool same_reach(const HostReach& a, const HostReach& b) {
  return a.endpoint.text() == b.endpoint.text() && a.unusable == b.unusable &&
         secrets_json(a) == secrets_json(b);
}

hosts_store::Row row_of(const HostRecord& record, const Sealer& sealer) {
  const auto& config = record.config;
  json::Object labels;
  for (const auto& [name, value] : config.labels) labels[name] = value;
  json::Array groups;
  for (const auto& group : config.groups) groups.emplace_back(group);
  auto secrets = secrets_json(record.reach);
  return {.id = config.id,
          .name = config.name,
          .endpoint = config.endpoint.text(),
          .labels = json::serialize(labels),
          .groups = json::serialize(groups),
          .note = config.note,
          .usual = config.usual,
          .standing = config.standing,
          .clear_text = config.clear_text,
          .origin = config.origin,
          .sealed = secrets.empty() ? std::string{}
                                    : sealer.seal(json::serialize(secrets), context_of(config.id)),
          .created_at = config.created_at,
          .updated_at = config.updated_at};
}

HostRecord record_of(const hosts_store::Row& row, const Sealer& sealer) {
  auto endpoint = value_or_throw(net::Endpoint::parse(row.endpoint));
  HostRecord record{.config = {.id = row.id,
                               .name = row.name,
                               .endpoint = endpoint,
                               .labels = stored_labels(row.labels),
                               .groups = stored_groups(row.groups),
                               .note = row.note,
                               .usual = row.usual,
                               .standing = row.standing,
                               .clear_text = row.clear_text,
                               .origin = row.origin,
                               .created_at = row.created_at,
                               .updated_at = row.updated_at},
                    .reach = {.endpoint = endpoint}};
  if (row.sealed.empty()) return record;
  auto opened = sealer.open(row.sealed, context_of(row.id));
  if (opened) {
    read_secrets(value_or_throw(json::parse(opened->reveal(), json::Keys::strict)), record.reach);
  } else {
    record.reach.unusable =
        Error{ErrorKind::internal, opened.error().code,
              fmt::format("cannot use host '{}': {}", row.name, cause_of(opened.error())),
              "bring back the server's key file, or enter the host's keys and passwords again"};
  }
  return record;
}

Result<net::TlsClient> tls_client(const HostTls& tls) {
  if (tls.certificate.empty() != tls.key.empty()) {
    return refused(tls.key.empty() ? "tls.key" : "tls.certificate",
                   "is required: certificate and key belong together");
  }
  net::TlsClientSettings settings{.system = tls.authorities.empty()
                                                ? net::SystemAuthorities::trusted
                                                : net::SystemAuthorities::ignored,
                                  .authorities = tls.authorities};
  if (!tls.certificate.empty()) settings.identity = net::TlsIdentity{tls.certificate, tls.key};
  auto client = net::TlsClient::make(settings);
  if (client) return client;
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> fields{
      {{"bad_authorities", "tls.ca"},
       {"bad_certificate", "tls.certificate"},
       {"bad_key", "tls.key"}}};
  auto known = std::ranges::find(fields, client.error().code,
                                 &std::pair<std::string_view, std::string_view>::first);
  return refused(known == fields.end() ? "tls" : known->second,
                 fmt::format("can not be used: {}", cause_of(client.error())));
}

}  // namespace gantry::fleet
