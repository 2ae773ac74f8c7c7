#include "sandbox/slots.hpp"

#include "base/random.hpp"

#include <charconv>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {
constexpr std::string_view name_begin = "gantry-sandbox-";
}

Slots::Slots() : next_{static_cast<int>(random::below(count))} {}

std::optional<int> Slots::take() {
  for (int tried = 0; tried < count; ++tried) {
    int id = first + next_;
    next_ = (next_ + 1) % count;
    if (taken_.insert(id).second) return id;
  }
  return std::nullopt;
}

std::string Slots::container_name(int id) { return fmt::format("{}{}", name_begin, id); }

bool Slots::is_container_name(std::string_view name) {
  if (!name.starts_with(name_begin)) return false;
  name.remove_prefix(name_begin.size());
  int id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  return error == std::errc{} && end == name.data() + name.size() && id >= first &&
         id < first + count;
}

}  // namespace gantry::sandbox
