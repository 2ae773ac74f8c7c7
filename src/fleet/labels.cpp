#include "fleet/labels.hpp"

#include <cstdint>
#include <cstring>

namespace gantry::fleet {
namespace {

constexpr std::size_t head_size = 2 * sizeof(std::uint32_t);

struct Lengths {
  std::uint32_t name;
  std::uint32_t value;
};

Lengths lengths_at(const char* at) {
  Lengths lengths{};
  std::memcpy(&lengths, at, head_size);
  return lengths;
}

}  // namespace

Labels::Labels(const std::map<std::string, std::string>& labels) {
  std::size_t size = 0;
  for (const auto& [name, value] : labels) size += head_size + name.size() + value.size();
  packed_.reserve(size);
  for (const auto& [name, value] : labels) {
    Lengths lengths{static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size())};
    char head[head_size];
    std::memcpy(head, &lengths, head_size);
    packed_.append(head, head_size);
    packed_ += name;
    packed_ += value;
  }
}

Labels::value_type Labels::Iterator::operator*() const {
  auto [name, value] = lengths_at(at_);
  const char* texts = at_ + head_size;
  return {{texts, name}, {texts + name, value}};
}

Labels::Iterator& Labels::Iterator::operator++() {
  auto [name, value] = lengths_at(at_);
  at_ += head_size + name + value;
  return *this;
}

std::size_t Labels::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

std::optional<std::string_view> Labels::find(std::string_view name) const {
  for (auto [known, value] : *this) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace gantry::fleet
