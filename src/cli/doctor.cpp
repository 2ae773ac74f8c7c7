#include "async/attempt.hpp"
#include "cli/commands.hpp"
#include "cli/consent.hpp"
#include "cli/exit_codes.hpp"
#include "cli/interrupt.hpp"
#include "doctor/checks.hpp"
#include "doctor/findings.hpp"
#include "doctor/report.hpp"
#include "doctor/usual.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

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
                           : doctor::text_of(report, {colour_of(command), command.width}));
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

/// What somebody types who may not change accounts: sudo forgets DOCKER_HOST and the like.
std::string with_sudo(const DoctorCommand& command, const doctor::Facts& facts) {
  std::vector<std::string> words{"sudo gantry doctor --fix"};
  auto add = [&](std::string_view flag, std::string_view value) {
    if (!value.empty())
      words.push_back(fmt::format("{} {}", flag, doctor::judge::shell_word(value)));
  };
  const auto& asked = command.question;
  add("--pid", asked.pid ? std::to_string(*asked.pid) : "");
  add("--service", asked.service);
  add("--user", asked.user);
  add("--gid", command.fix.gid ? std::to_string(*command.fix.gid) : "");
  bool usual_file = command.fix.env_file == ".env";
  add("--env-file", usual_file ? "" : command.fix.env_file.string());
  add("--engine", facts.endpoint.source == "the default" ? "" : facts.endpoint.text);
  return fmt::format("{}", fmt::join(words, " "));
}

/// Refused: denied, `not_root`; before anything is asked or done.
Result<> may_make(const std::vector<Change>& changes, const DoctorCommand& command,
                  const doctor::Facts& facts) {
  bool root_wanted = std::ranges::any_of(changes, &Change::takes_root);
  if (!root_wanted || ::geteuid() == doctor::root) return ok;
  return fail(ErrorKind::denied, "not_root", "cannot make these changes: they take root",
              fmt::format("run '{}'", with_sudo(command, facts)));
}

async::task<Result<bool>> allowed(Context& context, const DoctorCommand& command) {
  if (command.consent == DoctorCommand::Consent::given) co_return true;
  co_return co_await agreed(context, "do this? [y/N]");
}

/// The texts to paste, where a number helps.
void show_fragments(Context& context, const DoctorCommand& command, const doctor::Facts& facts) {
  auto gid = doctor::container_gid(facts, command.fix);
  if (!gid) return;
  const auto* socket = facts.usable_socket();
  auto path = socket == nullptr ? std::string{doctor::usual_socket} : socket->path;
  context.terminal.err("\n" + doctor::fragments(*gid, path) + "\n");
}

/// The report, and why nothing is done.
int unchanged(Context& context, const DoctorCommand& command, const Report& report,
              const std::string& why) {
  show_fragments(context, command, report.facts);
  print(context, command, report);
  if (!why.empty()) context.terminal.say(why);
  return doctor::exit_code_of(report);
}

async::task<Result<int>> mend(Context& context, DoctorCommand command, Report before) {
  auto changes = doctor::plan(before.facts, command.fix);
  if (!changes) {
    print(context, command, before);
    co_return fail(std::move(changes.error()));
  }
  if (changes->empty()) {
    bool well = doctor::exit_code_of(before) == 0;
    co_return unchanged(context, command, before,
                        well ? "there is nothing to change"
                             : "there is nothing that this command could change by itself");
  }
  show(context, *changes);
  if (command.consent == DoctorCommand::Consent::dry_run) {
    co_return unchanged(context, command, before, "");
  }
  if (auto may = may_make(*changes, command, before.facts); !may) co_return fail(may.error());
  auto yes = co_await allowed(context, command);
  if (!yes) co_return fail(yes.error());
  if (!*yes) co_return unchanged(context, command, before, "nothing is changed");
  if (auto made = co_await make_all(context, command, std::move(*changes)); !made) {
    co_return fail(made.error());
  }
  auto after = co_await look(context, command);
  if (!after) co_return fail(std::move(after.error()));
  show_fragments(context, command, after->facts);
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
  auto ended =
      co_await async::attempt(unless_interrupted(context, examine(context, std::move(command))));
  if (!ended) co_return fail(without_report(std::move(ended.error())));
  co_return ended;
}

}  // namespace gantry::cli
