#pragma once

#include "api/call.hpp"
#include "api/execution_json.hpp"
#include "executions/executions.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What happens in an execution, for those who follow it by events or by WebSocket.
namespace gantry::api {

/// The next happening, or nothing after a while; `ended` when there will be none any more, or the
/// server is stopping.
struct Look {
  std::optional<executions::Happening> happening;
  bool ended = false;
};
/// Looks for 2 s at most, so that one notices that a reader may not read any more.
async::task<Look> look(Call& call, executions::Executions::Follower& follower);

/// Turns happenings into named JSON objects; keeps what it takes to cut output at characters.
class Telling {
 public:
  using Event = std::pair<std::string_view, json::Object>;

  explicit Telling(const executions::Executions::Follower& follower) : follower_{follower} {}

  /// None, when all that came is the beginning of a character; the verdict comes with what was
  /// left, and with `message` (told_message).
  std::vector<Event> of(const executions::Happening& happening, const std::string& message);
  /// How many bytes that is about: for `compute`.
  std::size_t weight(const executions::Happening& happening) const;

 private:
  struct Border {
    std::string_view name;
    sandbox::Stage stage;
    CharacterBorder bytes = {};
  };

  Border& border(const executions::Happening& happening);
  static void add_output(std::vector<Event>& events, const Border& border, std::string_view bytes);

  const executions::Executions::Follower& follower_;
  std::array<Border, 4> borders_{
      Border{"stdout", sandbox::Stage::compile}, Border{"stderr", sandbox::Stage::compile},
      Border{"stdout", sandbox::Stage::run}, Border{"stderr", sandbox::Stage::run}};
};

/// Whether the query asks for `cancel_on_disconnect`; nothing else may stand there. Who may not
/// cancel is refused: denied (`role_missing`).
Result<bool> read_cancel_on_disconnect(Call& call);

}  // namespace gantry::api
