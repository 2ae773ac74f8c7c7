#include "engine/names.hpp"

#include "engine/containers.hpp"
#include "engine/volumes.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::unexpected<Error> refuse(const Doing& doing, std::string_view why) {
  return fail(ErrorKind::invalid, "invalid_name", fmt::format("cannot {}: {}", doing.text(), why),
              "use letters, digits, '_', '.' and '-', beginning with a letter or digit");
}

}  // namespace

bool valid_name(std::string_view text) {
  constexpr std::size_t length_max = 128;
  if (text.empty() || text.size() > length_max || !alphanumeric(text.front())) return false;
  return std::ranges::all_of(
      text, [](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool valid_id(std::string_view text) {
  if (text.size() < 12 || text.size() > 64) return false;
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool valid_container_reference(std::string_view text) { return valid_name(text); }

bool valid_volume_name(std::string_view text) { return valid_name(text); }

Result<> check_container(const Doing& doing, std::string_view container) {
  if (valid_container_reference(container)) return ok;
  return refuse(doing, "this is neither a container's id nor a name");
}

Result<> check_volume(const Doing& doing, std::string_view volume) {
  if (valid_volume_name(volume)) return ok;
  return refuse(doing, "this is no volume's name");
}

Result<> check_network(const Doing& doing, std::string_view network) {
  if (valid_name(network)) return ok;
  return refuse(doing, "this is neither a network's id nor a name");
}

Result<> check_exec(const Doing& doing, std::string_view exec) {
  if (valid_id(exec)) return ok;
  return refuse(doing, "this is no id of an exec");
}

}  // namespace gantry::engine
