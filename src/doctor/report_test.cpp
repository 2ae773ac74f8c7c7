#include "doctor/report.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// A report that another machine has told is shown as one that was made here.
namespace gantry::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

Report broken() {
  Facts facts;
  facts.machine = "nas";
  facts.subject = {.what = "this process",
                   .user = "ann",
                   .uid = 1000,
                   .account_groups = {1000},
                   .process_groups = std::vector<Id>{1000},
                   .pid = 812};
  facts.endpoint = {.source = "the default", .text = "unix:///var/run/docker.sock"};
  facts.socket = SocketFile{.path = "/var/run/docker.sock", .kind = SocketFile::Kind::missing};
  facts.engine.error = Error{ErrorKind::unavailable, "engine_socket_missing", "nothing there", {}};
  return examine(std::move(facts));
}

json::Value told(const Report& report) {
  return value_or_throw(json::parse(json::serialize(json_of(report)), json::Keys::strict));
}

TEST(ReportReadAgain, ShowsTheSame) {
  auto report = broken();
  auto outline = value_or_throw(read_report(told(report)));
  EXPECT_EQ(text_of(outline, Colour::ansi), text_of(report, Colour::ansi));
  EXPECT_EQ(exit_code_of(outline.state), exit_code_of(report));
  EXPECT_THAT(text_of(outline, Colour::none), HasSubstr("Docker can not be used"));
}

TEST(ReportReadAgain, NamesNoIdOfAnAccountThatHasNone) {
  auto report = broken();
  EXPECT_TRUE(told(report).at("subject").as_object().contains("uid"));
  report.facts.subject.uid = no_id;
  EXPECT_FALSE(told(report).at("subject").as_object().contains("uid"));
}

TEST(ReportReadAgain, TellsWhereItIsAbout) {
  auto report = broken();
  report.facts.sight = Sight::far;
  report.facts.place = "edge-3";
  auto outline = value_or_throw(read_report(told(report)));
  EXPECT_THAT(text_of(outline, Colour::none),
              HasSubstr("Docker on 'nas', reached as 'edge-3', for user 'ann'"));
  report.facts.sight = Sight::engine;
  EXPECT_TRUE(told(report).as_object()["subject"].is_null());
  outline = value_or_throw(read_report(told(report)));
  EXPECT_THAT(text_of(outline, Colour::none),
              HasSubstr("Docker at 'edge-3', by what its engine tells\n"));
  EXPECT_EQ(text_of(outline, Colour::none), text_of(report, Colour::none));
}

TEST(ReportReadAgain, MovesNoTerminalsCursor) {
  auto value = told(broken());
  auto& check = value.as_object()["checks"].as_array()[0].as_object();
  check["title"] = "a\x1b[2J";
  check["explanation"] = "b\x1b[2J";
  check["remedy"] = json::Array{json::Object{{"what", "c\nd"}, {"command", "e\x1b[2J"}}};
  check["state"] = "failed";
  value.as_object()["machine"] = "f\x1b[2J";
  value.as_object()["subject"] = json::Object{{"what", "g\x1b"}, {"user", "h\r"}};
  auto text = text_of(value_or_throw(read_report(value)), Colour::none);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
  EXPECT_THAT(text, Not(HasSubstr("c\nd")));
}

TEST(ReportReadAgain, IsRefusedWhereItIsNone) {
  EXPECT_FALSE(read_report(json::Value(json::Object{})));
  auto value = told(broken());
  value.as_object()["checks"].as_array()[0].as_object()["state"] = "splendid";
  EXPECT_FALSE(read_report(value));
}

TEST(ReportReadAgain, IsRefusedWhereItsMembersMeanSomethingElse) {
  auto value = told(broken());
  value.as_object()["version"] = report_version + 1;
  auto refused = read_report(value);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "other_version");
}

TEST(States, AreReadAsTheyAreWritten) {
  for (auto state :
       {State::skipped, State::unseen, State::ok, State::note, State::warning, State::failed}) {
    EXPECT_EQ(parse_state(word(state)), state);
  }
  EXPECT_FALSE(parse_state("splendid"));
}

TEST(ReportOnPaper, IsNoWiderThanItAndKeepsCommandsWhole) {
  auto outline = outline_of(broken());
  auto wide = text_of(outline, Colour::none);
  auto narrow = text_of(outline, {Colour::none, 60});
  std::istringstream lines{narrow};
  for (std::string line; std::getline(lines, line);) {
    bool command = line.starts_with("            ") && !line.starts_with("                ");
    bool head = line.starts_with("Docker");
    if (!command && !head) EXPECT_LE(line.size(), 60U) << line;
  }
  EXPECT_GT(std::ranges::count(narrow, '\n'), std::ranges::count(wide, '\n'));
  EXPECT_THAT(text_of(outline, {Colour::none, 40}), HasSubstr("there is no\n"));
  for (const auto& row : outline.rows) {
    if (row.state < State::note) continue;
    for (const auto& step : row.remedy) EXPECT_THAT(narrow, HasSubstr(step.command));
  }
}

TEST(ReportOnPaper, IsNotBrokenWhereThereIsNoRoomForWords) {
  auto outline = outline_of(broken());
  EXPECT_EQ(text_of(outline, {Colour::none, 10}), text_of(outline, Colour::none));
}

TEST(ReportOnPaper, EndsWithTheSentenceThatProgramsAreTold) {
  auto value = json::Value(json_of(broken()));
  std::string verdict{value.at("verdict").as_string()};
  EXPECT_THAT(verdict, HasSubstr("can not be used by this process"));
  EXPECT_THAT(text_of(broken(), Colour::none), testing::EndsWith("\n" + verdict + "\n"));
  value.as_object()["verdict"] = "It is\nso.";
  EXPECT_THAT(text_of(value_or_throw(read_report(value)), Colour::none),
              testing::EndsWith("\nIt is\\nso.\n"));
  value.as_object().erase("verdict");
  EXPECT_EQ(value_or_throw(read_report(value)).verdict, verdict);
}

TEST(ReportOnPaper, TellsWhatDoesNotApplyFromWhatIsNotSeen) {
  auto text = text_of(broken(), Colour::none);
  EXPECT_THAT(text, HasSubstr("\n  -     certificates     the endpoint does not speak TLS\n"));
  EXPECT_THAT(text, HasSubstr("\n  ?     account          there is no socket to look at\n"));
}

TEST(ReportOnPaper, SaysWhoCanNotUseDocker) {
  EXPECT_THAT(text_of(broken(), Colour::none), HasSubstr("can not be used by this process"));
}

}  // namespace
}  // namespace gantry::doctor
