#include "doctor/findings.hpp"

#include "doctor/services.hpp"

namespace gantry::doctor::judge {

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return std::string{text};
  std::string out = "'";
  for (char one : text) {
    if (one == '\'') {
      out += "'\\''";
    } else {
      out += one;
    }
  }
  return out + "'";
}

Finding without_socket(const Facts& facts) {
  bool meant = facts.socket || facts.endpoint.wrong;
  return meant ? unseen("there is no socket to look at")
               : skipped("the endpoint is no Unix socket");
}

Step with_restart(const Facts& facts, std::string what, std::string_view before) {
  bool outside = facts.engine_is_outside();
  if (outside) what += ", on the machine itself";
  if (facts.engine.error) {
    what += ", which ends running containers unless live-restore is on";
  } else if (!facts.engine.live_restore) {
    what += ", which ends running containers";
  }
  if (outside) return {std::move(what)};
  return {std::move(what),
          fmt::format("{}{}", before, engine_command(facts, &EngineCommands::restart))};
}

}  // namespace gantry::doctor::judge
