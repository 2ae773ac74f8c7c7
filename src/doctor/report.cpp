#include "doctor/report.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr std::size_t title_width = 16;

struct Look {
  State state;
  std::string_view mark;
  std::string_view colour;  ///< ECMA-48's select graphic rendition.
};
constexpr std::array looks{
    Look{State::skipped, "-", "\x1b[2m"},    Look{State::ok, "ok", "\x1b[32m"},
    Look{State::note, "note", "\x1b[36m"},   Look{State::warning, "warn", "\x1b[33m"},
    Look{State::failed, "FAIL", "\x1b[31m"},
};
constexpr std::string_view plain = "\x1b[0m";

std::string marked(State state, Colour colour) {
  const auto& look = looks[std::to_underlying(state)];
  auto mark = fmt::format("{:<4}", look.mark);
  return colour == Colour::none ? mark : fmt::format("{}{}{}", look.colour, mark, plain);
}

std::string text_of(const Outline::Row& row, Colour colour) {
  auto out = fmt::format("  {}  {:<{}}{}\n", marked(row.state, colour), text::one_line(row.title),
                         title_width, text::one_line(row.summary));
  if (row.state >= State::warning) {
    out += fmt::format("          {}\n", text::one_line(row.explanation));
  }
  if (row.state < State::note) return out;
  for (const auto& step : row.remedy) {
    out += fmt::format("        > {}\n", text::one_line(step.what));
    if (!step.command.empty()) out += fmt::format("            {}\n", text::one_line(step.command));
  }
  return out;
}

std::string_view verdict(const Outline& outline) {
  switch (outline.state) {
    case State::skipped:
    case State::ok:
    case State::note:
      return "Docker can be used.";
    case State::warning:
      return "Docker can be used; the warnings are worth a look.";
    case State::failed:
      break;
  }
  bool answers = std::ranges::none_of(outline.rows, [](const Outline::Row& row) {
    return row.id == "engine" && row.state == State::failed;
  });
  return answers ? "Docker can be used, but not safely: see what failed."
                 : "Docker can not be used: begin with the first that failed.";
}

json::Object json_of(const Examined& one) {
  json::Array remedy;
  for (const auto& step : one.finding.remedy) {
    json::Object entry{{"what", text::one_line(step.what)}};
    if (!step.command.empty()) entry["command"] = text::one_line(step.command);
    remedy.push_back(std::move(entry));
  }
  return {{"id", one.check->id},
          {"title", one.check->title},
          {"state", word(one.finding.state)},
          {"summary", text::one_line(one.finding.summary)},
          {"explanation", one.check->explanation},
          {"remedy", std::move(remedy)}};
}

constexpr std::size_t rows_max = 256;
constexpr std::size_t steps_max = 64;
constexpr json::TextBounds any_text{0, 1U << 16U};

State read_state(json::Fields& fields) {
  auto state = parse_state(fields.required_text("state"));
  if (!state) fields.refuse("state", "is none that is known");
  return state.value_or(State::skipped);
}

Step read_step(const json::Value& value) {
  json::Fields fields{value, "remedy", json::Keys::tolerant};
  return {fields.text("what", any_text).value_or(""),
          fields.text("command", any_text).value_or("")};
}

Result<Outline::Row> read_row(const json::Value& value) {
  json::Fields fields{value, "checks", json::Keys::tolerant};
  Outline::Row row{.id = fields.required_text("id"),
                   .title = fields.required_text("title"),
                   .state = read_state(fields),
                   .summary = fields.required_text("summary", any_text),
                   .explanation = fields.text("explanation", any_text).value_or(""),
                   .remedy = {}};
  if (const auto* steps = fields.array("remedy", steps_max)) {
    for (const auto& step : *steps) row.remedy.push_back(read_step(step));
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return row;
}

}  // namespace

Outline outline_of(const Report& report) {
  const auto& facts = report.facts;
  Outline outline{.machine = facts.machine,
                  .in_container = facts.in_container,
                  .subject = facts.subject.what,
                  .user = facts.subject.user,
                  .state = report.worst(),
                  .rows = {}};
  for (const auto& one : report.results) {
    outline.rows.push_back({.id = std::string{one.check->id},
                            .title = std::string{one.check->title},
                            .state = one.finding.state,
                            .summary = one.finding.summary,
                            .explanation = std::string{one.check->explanation},
                            .remedy = one.finding.remedy});
  }
  return outline;
}

Result<Outline> read_report(const json::Value& report) {
  json::Fields fields{report, "", json::Keys::tolerant};
  auto version = fields.integer("version", {1, 1'000'000});
  if (version && *version != report_version) {
    return fail(ErrorKind::invalid, "other_version",
                fmt::format("cannot show the report: it is of version {}, and {} is known here",
                            *version, report_version),
                "use a gantry of the server's version, or --json");
  }
  Outline outline{.machine = fields.required_text("machine"),
                  .in_container = fields.boolean("in_container").value_or(false),
                  .subject = {},
                  .user = {},
                  .state = read_state(fields),
                  .rows = {}};
  if (const auto* value = fields.member("subject")) {
    json::Fields subject{*value, "subject", json::Keys::tolerant};
    outline.subject = subject.text("what").value_or("");
    outline.user = subject.text("user").value_or("");
  }
  if (const auto* rows = fields.array("checks", rows_max)) {
    for (const auto& value : *rows) {
      auto row = read_row(value);
      if (!row) return fail(std::move(row.error()));
      outline.rows.push_back(std::move(*row));
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return outline;
}

std::string text_of(const Outline& outline, Colour colour) {
  auto out =
      fmt::format("Docker on '{}'{}, for user '{}' ({})\n\n", text::one_line(outline.machine),
                  outline.in_container ? ", a container" : "", text::one_line(outline.user),
                  text::one_line(outline.subject));
  for (const auto& row : outline.rows) out += text_of(row, colour);
  return fmt::format("{}\n{}\n", out, verdict(outline));
}

std::string text_of(const Report& report, Colour colour) {
  return text_of(outline_of(report), colour);
}

json::Object json_of(const Report& report) {
  const auto& facts = report.facts;
  json::Array checks;
  for (const auto& one : report.results) checks.push_back(json_of(one));
  json::Object subject{
      {"what", facts.subject.what}, {"user", facts.subject.user}, {"uid", facts.subject.uid}};
  if (facts.subject.pid) subject["pid"] = *facts.subject.pid;
  json::Object out{
      {"version", report_version},
      {"at", rfc3339(facts.at)},
      {"machine", text::one_line(facts.machine)},
      {"in_container", facts.in_container},
      {"subject", std::move(subject)},
      {"endpoint", json::Object{{"text", facts.endpoint.text}, {"source", facts.endpoint.source}}},
      {"state", word(report.worst())},
      {"cause", nullptr},
      {"checks", std::move(checks)}};
  if (const auto* cause = report.cause()) out["cause"] = cause->check->id;
  return out;
}

int exit_code_of(State worst) {
  constexpr int in_order = 0;
  constexpr int to_mend = 1;
  constexpr int broken = 2;
  switch (worst) {
    case State::skipped:
    case State::ok:
    case State::note:
      return in_order;
    case State::warning:
      return to_mend;
    case State::failed:
      return broken;
  }
  return broken;
}

int exit_code_of(const Report& report) { return exit_code_of(report.worst()); }

}  // namespace gantry::doctor
