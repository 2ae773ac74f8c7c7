#pragma once

#include "async/descriptor.hpp"
#include "base/error.hpp"
#include "net/ssh_settings.hpp"
#include "net/ssh_way.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::net {

/// The private folder (mode 0700) of one connection: its configuration, its sockets, and the key
/// while somebody is logging in with it. Removed with all that is in it when destroyed.
class SshRoom {
 public:
  /// A key that lies in the room as long as anybody holds one of these.
  class KeyLoan {
   public:
    explicit KeyLoan(SshRoom& room) : room_{&room} {}
    KeyLoan(KeyLoan&& other) noexcept : room_{std::exchange(other.room_, nullptr)} {}
    KeyLoan& operator=(KeyLoan&&) = delete;
    ~KeyLoan();

   private:
    SshRoom* room_;
  };

  /// Makes it. Borrows `settings`. Throws Failure: `ssh_room_unusable`, `ssh_agent_not_allowed`.
  SshRoom(const SshSettings& settings, const SshPlaces& places);
  SshRoom(const SshRoom&) = delete;
  SshRoom& operator=(const SshRoom&) = delete;
  ~SshRoom();

  /// The path of a file in it.
  std::string file(std::string_view name) const;
  /// Writes a file of mode 0600 and answers its path. Throws Failure.
  std::string write(std::string_view name, std::string_view text) const;
  std::string read(std::string_view name) const;
  void remove(std::string_view name) const;

  /// What a configuration for these settings names.
  SshConfigFiles config_files() const;
  SshAnswers answers() const;
  /// Puts the key there until nobody needs it any more.
  KeyLoan lend_key();

 private:
  void return_key();

  const SshSettings& settings_;
  const SshPlaces& places_;
  std::filesystem::path folder_;
  async::Descriptor lock_;
  std::size_t borrowers_ = 0;
};

/// Removes the rooms in `runtime` that a killed process of this user left: those that nobody has
/// locked any more.
void sweep_ssh_rooms(const std::string& runtime);

/// The whole environment of OpenSSH's processes.
std::vector<std::string> ssh_environment(const SshPlaces& places, std::string_view question);

}  // namespace gantry::net
