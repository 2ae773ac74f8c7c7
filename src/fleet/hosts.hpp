#pragma once

#include "base/error.hpp"
#include "base/sealer.hpp"
#include "base/secret.hpp"
#include "fleet/host_config.hpp"
#include "fleet/hosts_store.hpp"
#include "net/ssh_settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::fleet {

/// How many hosts there may be, and how much may be written about each.
inline constexpr std::size_t hosts_max = 500;
inline constexpr std::size_t host_labels_max = 64;
inline constexpr std::size_t host_label_name_max = 128;
inline constexpr std::size_t host_label_value_max = 512;
inline constexpr std::size_t host_groups_max = 32;
inline constexpr std::size_t host_note_max = 2'048;

/// What somebody wants to be true of a host. What is absent stays as it is; a text that is there
/// and empty takes away what was there.
struct HostWish {
  struct Tls {
    std::optional<std::string> authorities;
    std::optional<std::string> certificate;
    std::optional<std::string> key;
  };
  struct Ssh {
    std::optional<std::vector<std::string>> jumps;
    std::optional<std::string> identity;
    std::optional<std::string> identity_file;
    std::optional<std::string> passphrase;
    std::optional<std::string> password;
    std::optional<std::string> certificate;
    std::optional<net::SshSettings::Agent> agent;
    std::optional<net::SshSettings::UserConfig> config;
  };

  std::optional<std::string> name;
  std::optional<std::string> endpoint;
  std::optional<std::map<std::string, std::string>> labels;
  std::optional<std::vector<std::string>> groups;
  std::optional<std::string> note;
  std::optional<HostConfig::Usual> usual;
  std::optional<Standing> standing;
  std::optional<ClearText> clear_text;
  std::optional<Tls> tls;
  std::optional<Ssh> ssh;
};

/// A host with all that is known of it.
struct HostRecord {
  HostConfig config;
  HostReach reach;
};

/// `before` with the wish fulfilled. Refuses with `invalid_field`, naming the field as the API
/// calls it; for a new host `name` and `endpoint` must be there.
Result<HostRecord> fulfilled(const HostRecord& before, const HostWish& wish);

/// Whether the one is reached in another way than the other.
bool same_reach(const HostReach& a, const HostReach& b);

/// As it lies in the table; what is secret sealed under the host's id.
hosts_store::Row row_of(const HostRecord& record, const Sealer& sealer);
/// And back. Secrets that do not open make the host unusable, and are no error here; throws
/// Failure for a row that nobody of ours has written.
HostRecord record_of(const hosts_store::Row& row, const Sealer& sealer);

/// The client that a tls host is dialled with; what is wrong with its files is told as
/// `invalid_field`.
Result<net::TlsClient> tls_client(const HostTls& tls);

}  // namespace gantry::fleet
