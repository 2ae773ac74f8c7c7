#include "cli/verb_tables.hpp"

#include <array>
#include <utility>

namespace gantry::cli {

std::span<const Verb> verbs() {
  static const std::vector<Verb> all = [] {
    std::vector<Verb> all;
    for (auto part :
         {host_verbs(), container_verbs(), object_verbs(), access_verbs(), context_verbs()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return all;
}

std::string_view command_help(std::string_view command) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> helps{
      {{"hosts", "The machines with container engines that the server knows"},
       {"containers", "Look into one container"},
       {"images", "The images that programs run in, and those of a host"},
       {"volumes", "The volumes of a host"},
       {"networks", "The networks of a host"},
       {"projects", "Compose projects"},
       {"users", "Who may sign in, and what they may do"},
       {"tokens", "Your API tokens"},
       {"sessions", "Where you are signed in"},
       {"audit", "Who did what"},
       {"events", "What happens on the hosts"},
       {"context", "Servers that this user works with"}}};
  for (const auto& [name, help] : helps) {
    if (name == command) return help;
  }
  return {};
}

}  // namespace gantry::cli
