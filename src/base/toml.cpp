#include "base/toml.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gantry::json {
namespace {

Value from_table(const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  auto place = [](const auto& entry) {
    auto begin = entry.first->source().begin;
    return std::pair{begin.line, begin.column};
  };
  std::ranges::sort(entries, {}, place);
  Object object;
  for (const auto& [key, node] : entries) object[key->str()] = from_toml(*node);
  return Value(std::move(object));
}

}  // namespace

Value from_toml(const toml::node& node) {
  if (const auto* table = node.as_table()) return from_table(*table);
  Array items;
  if (const auto* array = node.as_array()) {
    for (const auto& item : *array) items.push_back(from_toml(item));
  }
  if (const auto* text = node.as_string()) return Value(text->get());
  if (const auto* number = node.as_integer()) return Value(number->get());
  if (const auto* number = node.as_floating_point()) return Value(number->get());
  if (const auto* truth = node.as_boolean()) return Value(truth->get());
  return Value(std::move(items));
}

}  // namespace gantry::json
