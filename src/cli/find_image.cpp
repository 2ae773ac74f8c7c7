#include "cli/find_image.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

constexpr std::size_t items_max = 10'000;
constexpr std::size_t names_max = 1'000;
constexpr std::string_view digest = "sha256:";

/// `nginx` is `nginx:latest`; a port of a registry is no tag.
std::string tagged(const std::string& word) {
  auto slash = word.rfind('/');
  auto colon = word.find(':', slash == std::string::npos ? 0 : slash);
  return colon == std::string::npos ? word + ":latest" : word;
}

}  // namespace

Result<FoundImage> choose_image(const json::Value& answer, const std::string& word,
                                const std::string& host) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  std::vector<std::string> begun;
  auto digits = word.starts_with(digest) ? word.substr(digest.size()) : word;
  const auto* items = fields.array("items", items_max);
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    json::Fields image{(*items)[i], "items", json::Keys::tolerant};
    auto id = image.text("id").value_or("");
    auto tags = image.texts("tags", names_max);
    auto name = std::ranges::find(tags, tagged(word));
    if (name != tags.end()) return FoundImage{id, *name};
    bool begins = id.starts_with(digest) && id.substr(digest.size()).starts_with(digits);
    if (begins && !digits.empty()) begun.push_back(id);
  }
  if (begun.size() == 1) return FoundImage{begun.front(), {}};
  auto shown = text::one_line(word);
  if (begun.empty()) {
    return fail(ErrorKind::not_found, "no_such_image",
                fmt::format("cannot find image '{}' on '{}'", shown, host),
                "'gantry images ls' lists those there are");
  }
  return fail(ErrorKind::conflict, "ambiguous_image",
              fmt::format("cannot tell which image '{}' is: {} ids begin so", shown, begun.size()),
              "give more of its id, or its name");
}

}  // namespace gantry::cli
