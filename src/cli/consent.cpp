#include "cli/consent.hpp"

#include "cli/input.hpp"

namespace gantry::cli {
namespace {

constexpr std::size_t answer_max = 16;

}  // namespace

async::task<Result<bool>> agreed(Context& context, std::string question) {
  context.terminal.say(question);
  auto line = co_await read_line(answer_max);
  if (!line) co_return fail(line.error());
  co_return *line == "y" || *line == "Y" || *line == "yes";
}

}  // namespace gantry::cli
