#include "doctor/report.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr std::size_t title_width = 17;

struct Look {
  State state;
  std::string_view mark;
  std::string_view colour;  ///< ECMA-48's select graphic rendition.
};
constexpr std::array looks{
    Look{State::skipped, "-", "\x1b[2m"},     Look{State::unseen, "?", "\x1b[2m"},
    Look{State::ok, "ok", "\x1b[32m"},        Look{State::note, "note", "\x1b[36m"},
    Look{State::warning, "warn", "\x1b[33m"}, Look{State::failed, "FAIL", "\x1b[31m"},
};
constexpr std::string_view plain = "\x1b[0m";

std::string marked(State state, Colour colour) {
  const auto& look = looks[std::to_underlying(state)];
  auto mark = fmt::format("{:<4}", look.mark);
  return colour == Colour::none ? mark : fmt::format("{}{}{}", look.colour, mark, plain);
}

/// The columns that a text takes on a terminal, as far as it is of letters.
std::size_t columns_of(std::string_view text) {
  constexpr unsigned char continued = 0x80;
  constexpr unsigned char kind = 0xC0;
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & kind) != continued; }));
}

/// Broken at spaces where it would be wider than `width`; all lines but the first begin with
/// `indent` spaces, which the first has behind it already.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  constexpr std::size_t narrowest = 15;
  if (width < indent + narrowest) return std::string{text};
  std::string out;
  std::size_t used = indent;
  for (auto word : text::split(text, ' ')) {
    auto columns = columns_of(word);
    bool first = used == indent;
    if (!first && used + 1 + columns > width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
      first = true;
    }
    if (!first) out += ' ';
    out += word;
    used += columns + (first ? 0 : 1);
  }
  return out;
}

std::string text_of(const Outline::Row& row, const Paper& paper) {
  constexpr std::size_t text_begin = 8 + title_width;
  constexpr std::size_t step_begin = 10;
  auto line = [&](std::string_view text, std::size_t indent) {
    return wrapped(text::one_line(text), indent, paper.width);
  };
  auto out = fmt::format("  {}  {:<{}}{}\n", marked(row.state, paper.colour),
                         text::one_line(row.title), title_width, line(row.summary, text_begin));
  if (row.state >= State::warning) {
    out += fmt::format("          {}\n", line(row.explanation, step_begin));
  }
  if (row.state < State::note) return out;
  for (const auto& step : row.remedy) {
    out += fmt::format("        > {}\n", line(step.what, step_begin));
    // To be copied: it stays one line.
    if (!step.command.empty()) out += fmt::format("            {}\n", text::one_line(step.command));
  }
  return out;
}

/// What was looked at.
std::string head_of(const Outline& outline) {
  auto place = text::one_line(outline.place);
  if (outline.subject.empty())
    return fmt::format("Docker at '{}', by what its engine tells", place);
  return fmt::format("Docker on '{}'{}{}, for user '{}' ({})", text::one_line(outline.machine),
                     place.empty() ? "" : fmt::format(", reached as '{}'", place),
                     outline.in_container ? ", a container" : "", text::one_line(outline.user),
                     text::one_line(outline.subject));
}

std::string verdict_of(const Outline& outline) {
  switch (outline.state) {
    case State::skipped:
    case State::unseen:
    case State::ok:
    case State::note:
      return "Docker can be used.";
    case State::warning:
      return "Docker can be used; the warnings are worth a look.";
    case State::failed:
      break;
  }
  constexpr std::array<std::string_view, 7> way{"endpoint",       "tls",    "socket", "membership",
                                                "process_groups", "access", "engine"};
  bool usable = std::ranges::none_of(outline.rows, [&](const Outline::Row& row) {
    return row.state == State::failed && std::ranges::find(way, row.id) != way.end();
  });
  if (usable) return "Docker can be used, but not safely: see what failed.";
  auto whom = outline.subject.empty() ? "" : " by " + outline.subject;
  return fmt::format("Docker can not be used{}: begin with the first that failed.", whom);
}

/// Null where nobody's account was looked at.
json::Value subject_json(const Facts& facts) {
  if (facts.sight == Sight::engine) return nullptr;
  const auto& its = facts.subject;
  json::Object subject{{"what", text::one_line(its.what)}, {"user", text::one_line(its.user)}};
  if (its.uid != no_id) subject["uid"] = its.uid;
  if (its.pid) subject["pid"] = *its.pid;
  return subject;
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
  return state.value_or(State::unseen);
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
                  .place = facts.place,
                  .in_container = facts.in_container,
                  .subject = {},
                  .user = {},
                  .state = report.worst(),
                  .verdict = {},
                  .rows = {}};
  if (facts.sight != Sight::engine) {
    outline.subject = facts.subject.what;
    outline.user = facts.subject.user;
  }
  for (const auto& one : report.results) {
    outline.rows.push_back({.id = std::string{one.check->id},
                            .title = std::string{one.check->title},
                            .state = one.finding.state,
                            .summary = one.finding.summary,
                            .explanation = std::string{one.check->explanation},
                            .remedy = one.finding.remedy});
  }
  outline.verdict = verdict_of(outline);
  return outline;
}

Result<Outline> read_report(const json::Value& report) {
  json::Fields fields{report, "", json::Keys::tolerant};
  auto version = fields.integer("version", {1, 1'000'000});
  if (version && *version != report_version) {
    return fail(ErrorKind::invalid, "other_version",
                fmt::format("cannot show the report: it is of version {}, and {} is known here",
                            *version, report_version),
                "use a gantry of the server's version");
  }
  Outline outline{.machine = fields.required_text("machine"),
                  .place = fields.text("place").value_or(""),
                  .in_container = fields.boolean("in_container").value_or(false),
                  .subject = {},
                  .user = {},
                  .state = read_state(fields),
                  .verdict = fields.text("verdict", any_text).value_or(""),
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
  if (outline.verdict.empty()) outline.verdict = verdict_of(outline);
  return outline;
}

std::string text_of(const Outline& outline, Paper paper) {
  auto out = fmt::format("{}\n\n", head_of(outline));
  for (const auto& row : outline.rows) out += text_of(row, paper);
  return fmt::format("{}\n{}\n", out, text::one_line(outline.verdict));
}

std::string text_of(const Report& report, Paper paper) {
  return text_of(outline_of(report), paper);
}

json::Object json_of(const Report& report) {
  const auto& facts = report.facts;
  json::Array checks;
  for (const auto& one : report.results) checks.push_back(json_of(one));
  json::Object out{{"version", report_version},
                   {"at", rfc3339(facts.at)},
                   {"sight", word(facts.sight)},
                   {"place", text::one_line(facts.place)},
                   {"machine", text::one_line(facts.machine)},
                   {"in_container", facts.in_container},
                   {"subject", subject_json(facts)},
                   {"endpoint", json::Object{{"text", text::one_line(facts.endpoint.text)},
                                             {"source", text::one_line(facts.endpoint.source)}}},
                   {"state", word(report.worst())},
                   {"verdict", text::one_line(outline_of(report).verdict)},
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
    case State::unseen:
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
