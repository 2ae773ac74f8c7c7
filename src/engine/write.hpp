#pragma once

#include "base/json.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Making the bodies of requests to an engine, which takes what is not said as the usual.
namespace gantry::engine::write {

inline json::Array array_of(const std::vector<std::string>& texts) {
  json::Array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

inline json::Object object_of(const std::map<std::string, std::string>& texts) {
  json::Object out;
  for (const auto& [name, text] : texts) out[name] = text;
  return out;
}

/// Nothing is said of what is absent,
template <class T>
void put(json::Object& into, std::string_view key, const std::optional<T>& value) {
  if (value) into[key] = *value;
}

/// nor of lists that are empty.
inline void put(json::Object& into, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) into[key] = array_of(texts);
}

}  // namespace gantry::engine::write
