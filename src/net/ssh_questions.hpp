#pragma once

#include "async/task.hpp"
#include "base/secret.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// What OpenSSH asks for.
enum class SshQuestion { passphrase, password };
/// What a question of OpenSSH's is after; nothing for those that are never answered: of keys that
/// are not ours, of machines that are not on the way, and whatever else a server lets it ask.
std::optional<SshQuestion> read_ssh_question(std::string_view question, std::string_view identity,
                                             const std::vector<std::string>& machines);

/// Answers the questions of one run of OpenSSH, on a private socket: every question once, and only
/// to processes of our own user. Taken away as soon as the run has logged in.
class SshQuestions {
 public:
  struct Answers {
    std::string identity;               ///< The key's path, as OpenSSH names it.
    std::vector<std::string> machines;  ///< Of the way, by their names in known_hosts.
    Secret passphrase;
    Secret password;
  };

  /// Listens at `socket`. Throws Failure when it can not.
  SshQuestions(const async::Executor& executor, std::string socket, Answers answers);
  ~SshQuestions();
  SshQuestions(const SshQuestions&) = delete;
  SshQuestions& operator=(const SshQuestions&) = delete;

  const std::string& socket() const;
  /// Returns, by throwing, after `stop`.
  async::task<void> serve();
  /// Takes the socket away. May be called twice.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net
