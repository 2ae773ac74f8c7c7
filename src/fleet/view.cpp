#include "fleet/view.hpp"

#include "base/text.hpp"

namespace gantry::fleet {
namespace {

// Labels are anybody's text: an engine takes 50,000 of them, of a megabyte each.
constexpr std::size_t labels_max = 256;
constexpr std::size_t label_name_max = 256;
constexpr std::size_t label_value_max = 4096;
constexpr std::size_t text_max = 512;

std::map<std::string, std::string> shown_labels(const std::map<std::string, std::string>& labels) {
  std::map<std::string, std::string> shown;
  for (const auto& [name, value] : labels) {
    if (shown.size() == labels_max) break;
    bool secret = text::names_secret(name);
    shown[text::shortened(name, label_name_max)] =
        secret ? std::string{text::mask} : text::shortened(value, label_value_max);
  }
  return shown;
}

std::optional<std::string> label(const engine::ContainerSummary& summary, const char* name) {
  auto found = summary.labels.find(name);
  if (found == summary.labels.end() || found->second.empty()) return std::nullopt;
  return text::shortened(found->second, text_max);
}

}  // namespace

Container container_of(const engine::ContainerSummary& summary) {
  Container container;
  container.id = summary.id;
  // A container that others link to has their names for it too; its own has no slash inside.
  for (const auto& name : summary.names) {
    if (container.name.empty() || !name.contains('/')) container.name = name;
  }
  container.image = text::shortened(summary.image, text_max);
  container.state = text::shortened(summary.state, text_max);
  container.status = text::shortened(summary.status, text_max);
  container.created = summary.created;
  container.ports = summary.ports;
  container.labels = shown_labels(summary.labels);
  container.project = label(summary, "com.docker.compose.project");
  container.service = label(summary, "com.docker.compose.service");
  return container;
}

}  // namespace gantry::fleet
