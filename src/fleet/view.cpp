#include "fleet/view.hpp"

#include "base/text.hpp"
#include "fleet/trim.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t text_max = 512;
constexpr std::size_t id_max = 64;

Labels shown_labels(const std::map<std::string, std::string>& labels) {
  auto shown = trimmed_pairs(labels);
  for (auto& [name, value] : shown) {
    if (text::names_secret(name)) value = text::mask;
  }
  return Labels{shown};
}

/// One line each, which no search text can span.
std::string searched_in(const Container& container) {
  auto all = fmt::format("{}\n{}\n{}", container.name, container.image, container.id);
  for (const auto& more : {container.project, container.service}) {
    if (more) all += "\n" + *more;
  }
  return text::lowered(all);
}

struct HealthWord {
  Health health;
  std::string_view word;
  std::string_view in_status;
};
constexpr std::array health_words{HealthWord{Health::starting, "starting", "(health: starting)"},
                                  HealthWord{Health::healthy, "healthy", "(healthy)"},
                                  HealthWord{Health::unhealthy, "unhealthy", "(unhealthy)"},
                                  HealthWord{Health::none, "none", {}}};

constexpr std::array state_words{std::pair{EngineState::connecting, "connecting"},
                                 std::pair{EngineState::connected, "connected"},
                                 std::pair{EngineState::unreachable, "unreachable"},
                                 std::pair{EngineState::disabled, "disabled"}};

std::optional<std::string> label(const engine::ContainerSummary& summary, const char* name) {
  auto found = summary.labels.find(name);
  if (found == summary.labels.end() || found->second.empty()) return std::nullopt;
  return text::shortened(found->second, text_max);
}

}  // namespace

std::string_view word(Health health) {
  return std::ranges::find(health_words, health, &HealthWord::health)->word;
}

std::optional<Health> parse_health(std::string_view word) {
  auto found = std::ranges::find(health_words, word, &HealthWord::word);
  if (found == health_words.end()) return std::nullopt;
  return found->health;
}

Health health_in(std::string_view status) {
  for (const auto& known : health_words) {
    if (status.ends_with(known.in_status)) return known.health;
  }
  return Health::none;
}

std::string_view word(EngineState state) {
  for (auto [known, word] : state_words) {
    if (known == state) return word;
  }
  return {};
}

Container container_of(const engine::ContainerSummary& summary) {
  Container container;
  container.id = summary.id.substr(0, id_max);
  // A container that others link to has their names for it too; its own has no slash inside.
  for (const auto& name : summary.names) {
    if (container.name.empty() || !name.contains('/')) container.name = trimmed_name(name);
  }
  container.image = text::shortened(summary.image, text_max);
  container.image_id = text::shortened(summary.image_id, text_max);
  container.state = text::shortened(summary.state, text_max);
  container.status = text::shortened(summary.status, text_max);
  container.health = health_in(summary.status);
  container.created = summary.created;
  container.ports = trimmed_ports(summary.ports);
  container.labels = shown_labels(summary.labels);
  container.project = label(summary, "com.docker.compose.project");
  container.service = label(summary, "com.docker.compose.service");
  container.searched = searched_in(container);
  return container;
}

}  // namespace gantry::fleet
