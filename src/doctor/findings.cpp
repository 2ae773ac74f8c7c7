#include "doctor/findings.hpp"

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

}  // namespace gantry::doctor::judge
