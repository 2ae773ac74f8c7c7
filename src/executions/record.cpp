#include "executions/record.hpp"

#include <array>

namespace gantry::executions {
namespace {
constexpr std::array<std::string_view, 4> words{"queued", "preparing", "running", "finished"};
}

std::string_view word(State state) { return words[static_cast<std::size_t>(state)]; }

std::optional<State> state_from(std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<State>(i);
  }
  return std::nullopt;
}

Record without_output(const Record& record) {
  return {.id = record.id,
          .owner = record.owner,
          .owner_id = record.owner_id,
          .language = record.language,
          .image = record.image,
          .command = record.command,
          .batch = record.batch,
          .webhook = record.webhook,
          .state = record.state,
          .outcome = record.outcome,
          .artifacts = record.artifacts,
          .created_at = record.created_at,
          .started_at = record.started_at,
          .finished_at = record.finished_at};
}

}  // namespace gantry::executions
