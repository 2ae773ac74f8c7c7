#include "doctor/report.hpp"

#include "base/text.hpp"

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

std::string text_of(const Examined& one, Colour colour) {
  auto out = fmt::format("  {}  {:<{}}{}\n", marked(one.finding.state, colour), one.check->title,
                         title_width, text::one_line(one.finding.summary));
  if (one.finding.state >= State::warning) {
    out += fmt::format("          {}\n", one.check->explanation);
  }
  if (one.finding.state < State::note) return out;
  for (const auto& step : one.finding.remedy) {
    out += fmt::format("        > {}\n", text::one_line(step.what));
    if (!step.command.empty()) out += fmt::format("            {}\n", text::one_line(step.command));
  }
  return out;
}

std::string_view verdict(const Report& report) {
  switch (report.worst()) {
    case State::skipped:
    case State::ok:
    case State::note:
      return "Docker can be used.";
    case State::warning:
      return "Docker can be used; the warnings are worth a look.";
    case State::failed:
      break;
  }
  return report.facts.engine.error ? "Docker can not be used: begin with the first that failed."
                                   : "Docker can be used, but not safely: see what failed.";
}

json::Object json_of(const Examined& one) {
  json::Array remedy;
  for (const auto& step : one.finding.remedy) {
    json::Object entry{{"what", step.what}};
    if (!step.command.empty()) entry["command"] = step.command;
    remedy.push_back(std::move(entry));
  }
  return {{"id", one.check->id},
          {"title", one.check->title},
          {"state", word(one.finding.state)},
          {"summary", text::one_line(one.finding.summary)},
          {"explanation", one.check->explanation},
          {"remedy", std::move(remedy)}};
}

}  // namespace

std::string text_of(const Report& report, Colour colour) {
  const auto& facts = report.facts;
  auto out = fmt::format("Docker on '{}'{}, for user '{}' ({})\n\n", text::one_line(facts.machine),
                         facts.in_container ? ", a container" : "", facts.subject.user,
                         facts.subject.what);
  for (const auto& one : report.results) out += text_of(one, colour);
  return fmt::format("{}\n{}\n", out, verdict(report));
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

int exit_code_of(const Report& report) {
  constexpr int in_order = 0;
  constexpr int to_mend = 1;
  constexpr int broken = 2;
  switch (report.worst()) {
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

}  // namespace gantry::doctor
