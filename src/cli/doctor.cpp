#include "async/attempt.hpp"
#include "cli/commands.hpp"
#include "cli/consent.hpp"
#include "cli/interrupt.hpp"
#include "doctor/checks.hpp"
#include "doctor/report.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

using doctor::Change;
using doctor::Report;

doctor::Colour colour_of(const DoctorCommand& command) {
  return command.screen == DoctorCommand::Screen::terminal ? doctor::Colour::ansi
                                                           : doctor::Colour::none;
}

async::task<Result<Report>> look(Context& context, const DoctorCommand& command) {
  auto facts = co_await doctor::gather(context.executor, command.question, command.environment);
  if (!facts) co_return fail(std::move(facts.error()));
  co_return doctor::examine(std::move(*facts));
}

void print(Context& context, const DoctorCommand& command, const Report& report) {
  context.terminal.out(command.format == Format::json
                           ? json::serialize(doctor::json_of(report)) + "\n"
                           : doctor::text_of(report, colour_of(command)));
}

void show(Context& context, const std::vector<Change>& changes) {
  int number = 0;
  for (const auto& change : changes) {
    context.terminal.say(fmt::format("{}. {}", ++number, change.what));
    context.terminal.say(fmt::format("     {}", change.command()));
  }
}

/// Makes them in order; the first that fails ends it, and what was done is said.
async::task<Result<>> make_all(Context& context, const DoctorCommand& command,
                               std::vector<Change> changes) {
  for (auto& change : changes) {
    auto what = change.what;
    auto made = co_await doctor::make(std::move(change), command.environment.path);
    if (!made) co_return made;
    context.terminal.say(fmt::format("done: {}", what));
  }
  co_return ok;
}

async::task<Result<int>> mend(Context& context, DoctorCommand command, Report before) {
  auto changes = doctor::plan(before.facts, command.fix);
  if (!changes) co_return fail(std::move(changes.error()));
  if (changes->empty()) {
    context.terminal.say("there is nothing that could be changed here");
    co_return doctor::exit_code_of(before);
  }
  show(context, *changes);
  // Those who want the id in a file are told where else it goes.
  auto in_file = std::ranges::find_if(*changes, [](const Change& one) { return one.gid != 0; });
  auto gid = in_file == changes->end() ? doctor::root : in_file->gid;
  if (command.consent == DoctorCommand::Consent::dry_run) co_return 0;
  if (command.consent == DoctorCommand::Consent::asked) {
    auto yes = co_await agreed(context, "do this? [y/N]");
    if (!yes) co_return fail(yes.error());
    if (!*yes) {
      context.terminal.say("nothing is changed");
      co_return doctor::exit_code_of(before);
    }
  }
  if (auto made = co_await make_all(context, command, std::move(*changes)); !made) {
    co_return fail(made.error());
  }
  if (gid != doctor::root) context.terminal.err("\n" + doctor::fragments(gid) + "\n");
  auto after = co_await look(context, command);
  if (!after) co_return fail(std::move(after.error()));
  print(context, command, *after);
  co_return doctor::exit_code_of(*after);
}

async::task<Result<int>> examine(Context& context, DoctorCommand command) {
  auto report = co_await look(context, command);
  if (!report) co_return fail(std::move(report.error()));
  if (command.consent == DoctorCommand::Consent::none) {
    print(context, command, *report);
    co_return doctor::exit_code_of(*report);
  }
  co_return co_await mend(context, std::move(command), std::move(*report));
}

}  // namespace

async::task<Result<int>> run(Context& context, DoctorCommand command) {
  return unless_interrupted(context, examine(context, std::move(command)));
}

}  // namespace gantry::cli
