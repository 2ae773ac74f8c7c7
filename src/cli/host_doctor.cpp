#include "async/attempt.hpp"
#include "base/text.hpp"
#include "cli/api_client.hpp"
#include "cli/exit_codes.hpp"
#include "cli/remote_request.hpp"
#include "cli/verb_tables.hpp"
#include "doctor/report.hpp"

#include <optional>

#include <fmt/format.h>

// `gantry hosts doctor`: the report of a server on one of its hosts.
namespace gantry::cli {
namespace {

constexpr std::size_t changes_max = 512;
constexpr json::TextBounds any_text{0, 1U << 16U};

/// How a check came out then, or now.
struct Outcome {
  std::string state;
  std::string summary;
  std::string at;
};

/// Nothing: there was, or is, no such check.
std::optional<Outcome> outcome_of(json::Fields& change, std::string_view side) {
  const auto* value = change.member(side);
  if (value == nullptr) return std::nullopt;
  json::Fields fields{*value, std::string{side}, json::Keys::tolerant};
  return Outcome{.state = fields.text("state").value_or(""),
                 .summary = fields.text("summary", any_text).value_or(""),
                 .at = fields.text("at").value_or("")};
}

/// `socket: failed, was ok at 2026-11-22T15:00:00.000Z: there is no '/run/docker.sock'`
std::string line_of(const json::Value& value) {
  json::Fields change{value, "changes", json::Keys::tolerant};
  auto title = change.text("title").value_or("");
  auto before = outcome_of(change, "before");
  auto after = outcome_of(change, "after");
  auto was = before ? fmt::format("was {} at {}", before->state, before->at) : "was not looked at";
  const auto& seen = after ? after : before;
  return text::one_line(fmt::format("{}: {}, {}: {}", title,
                                    after ? after->state : "not looked at any more", was,
                                    seen ? seen->summary : ""));
}

/// What has changed, a line each; of the first examination nothing.
std::string changes_of(json::Fields& answer) {
  auto since = answer.text("since");
  const auto* changes = answer.array("changes", changes_max);
  if (!since || changes == nullptr) return {};
  auto when = text::one_line(*since);
  if (changes->empty()) return fmt::format("\nNothing has changed since {}.\n", when);
  auto out = fmt::format("\nChanged since {}:\n", when);
  for (const auto& change : *changes) out += fmt::format("  {}\n", line_of(change));
  return out;
}

async::task<Result<int>> show_report(Context& context, RemoteCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer =
      co_await (*server)->get("examine a host", path_of(command.verb->path, command.given));
  if (!answer) co_return fail(answer.error());
  json::Fields fields{*answer, "", json::Keys::tolerant};
  const auto* member = fields.member("report");
  auto report = doctor::read_report(member == nullptr ? json::Value{} : *member);
  if (command.format == Format::json) context.terminal.out(json::serialize(*answer) + "\n");
  if (!report) co_return fail(std::move(report.error()));
  if (command.format == Format::text) {
    bool colours = command.screen == RemoteCommand::Screen::terminal;
    auto colour = colours ? doctor::Colour::ansi : doctor::Colour::none;
    context.terminal.out(doctor::text_of(*report, {colour, command.width}) + changes_of(fields));
  }
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  co_return doctor::exit_code_of(report->state);
}

}  // namespace

async::task<Result<int>> run_host_doctor(Context& context, RemoteCommand command) {
  auto shown = co_await async::attempt(show_report(context, std::move(command)));
  if (!shown) co_return fail(without_report(std::move(shown.error())));
  co_return shown;
}

}  // namespace gantry::cli
