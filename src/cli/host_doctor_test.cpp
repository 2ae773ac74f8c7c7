#include "cli/testing_fake.hpp"
#include "doctor/report.hpp"

#include <gmock/gmock.h>

// `gantry hosts doctor`, of a server that says what a test wrote down.
namespace gantry::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HostDoctor : public testing::Test {
 protected:
  Result<int> run_doctor(Format format = Format::text,
                         RemoteCommand::Screen colours = RemoteCommand::Screen::none) {
    return remote_.run(
        "hosts", "doctor",
        {.format = format, .given = {{"name", {"web1"}}}, .screen = colours, .width = width_});
  }

  static doctor::Report report_with(std::optional<Error> error) {
    doctor::Facts facts;
    facts.machine = "nas";
    facts.subject = {.what = "this process",
                     .user = "ann",
                     .uid = 1000,
                     .account_groups = {1000},
                     .process_groups = std::vector<doctor::Id>{1000},
                     .pid = 812};
    facts.endpoint = {.source = "host 'web1'", .text = "unix:///run/web1.sock"};
    facts.socket = doctor::SocketFile{.path = "/run/web1.sock"};
    facts.engine.error = std::move(error);
    return doctor::examine(std::move(facts));
  }

  async::task<void> serve(net::http::Exchange& exchange) {
    target_ = exchange.request().target;
    json::Object body{
        {"host", "web1"}, {"report", report_}, {"since", since_}, {"changes", changes_}};
    return exchange.respond({status_, {{"Content-Type", "application/json"}}},
                            json::serialize(json::Value(std::move(body))));
  }

  doctor::Report broken_ =
      report_with(Error{ErrorKind::unavailable, "engine_socket_missing", "nothing is there", {}});
  json::Value report_ = doctor::json_of(broken_);
  json::Value since_ = nullptr;
  json::Array changes_;
  unsigned status_ = 200;
  std::size_t width_ = 0;
  std::string target_;
  TestRemote remote_{[this](net::http::Exchange& exchange) { return serve(exchange); }};
  std::string& out_ = remote_.out;
};

TEST_F(HostDoctor, PrintsTheReportAsTheDoctorDoes) {
  EXPECT_EQ(value_or_throw(run_doctor()), doctor::exit_code_of(broken_));
  EXPECT_EQ(target_, "/api/v1/hosts/web1/doctor");
  EXPECT_EQ(out_, doctor::text_of(broken_, doctor::Colour::none));
  out_.clear();
  value_or_throw(run_doctor(Format::text, RemoteCommand::Screen::terminal));
  EXPECT_EQ(out_, doctor::text_of(broken_, doctor::Colour::ansi));
  out_.clear();
  width_ = 60;
  value_or_throw(run_doctor());
  EXPECT_EQ(out_, doctor::text_of(broken_, {doctor::Colour::none, 60}));
  EXPECT_NE(out_, doctor::text_of(broken_, doctor::Colour::none));
}

TEST_F(HostDoctor, EndsWithTheCodeOfTheWorst) {
  for (auto [state, code] : {std::pair{"ok", 0}, {"note", 0}, {"warning", 1}, {"failed", 2}}) {
    report_.as_object()["state"] = state;
    EXPECT_EQ(value_or_throw(run_doctor()), code) << state;
    EXPECT_EQ(value_or_throw(run_doctor(Format::json)), code) << state;
  }
}

TEST_F(HostDoctor, TellsEachChangeOnALine) {
  since_ = "2026-11-22T15:00:00.000Z";
  json::Object was{{"state", "ok"}, {"summary", "it was there"}, {"at", "2026-11-22T14:00:00Z"}};
  json::Object is{
      {"state", "failed"}, {"summary", "gone\n\x1b[2J"}, {"at", "2026-11-22T16:00:00Z"}};
  changes_ = {json::Object{{"id", "socket"}, {"title", "socket"}, {"before", was}, {"after", is}},
              json::Object{{"id", "a"}, {"title", "names"}, {"before", nullptr}, {"after", was}},
              json::Object{{"id", "b"}, {"title", "api"}, {"before", was}, {"after", nullptr}}};
  value_or_throw(run_doctor());
  EXPECT_THAT(out_, StartsWith(doctor::text_of(broken_, doctor::Colour::none)));
  EXPECT_THAT(out_, EndsWith("\nChanged since 2026-11-22T15:00:00.000Z:\n"
                             "  socket: failed, was ok at 2026-11-22T14:00:00Z: gone\\n\\x1b[2J\n"
                             "  names: ok, was not looked at: it was there\n"
                             "  api: not looked at any more, was ok at 2026-11-22T14:00:00Z: "
                             "it was there\n"));
}

TEST_F(HostDoctor, SaysThatNothingHasChanged) {
  since_ = "2026-11-22T15:00:00.000Z";
  value_or_throw(run_doctor());
  EXPECT_THAT(out_, EndsWith("\nNothing has changed since 2026-11-22T15:00:00.000Z.\n"));
}

TEST_F(HostDoctor, PrintsForProgramsWhatTheServerSaid) {
  since_ = "2026-11-22T15:00:00.000Z";
  EXPECT_EQ(value_or_throw(run_doctor(Format::json)), 2);
  auto answer = value_or_throw(json::parse(out_, json::Keys::strict));
  EXPECT_EQ(answer.as_object()["report"], report_);
  EXPECT_EQ(answer.as_object()["since"], since_);
}

TEST_F(HostDoctor, IsRefusedWhatItDoesNotKnow) {
  report_.as_object()["version"] = doctor::report_version + 1;
  auto refused = run_doctor();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "other_version");
  EXPECT_GT(traits(refused.error().kind).exit_code, 2);
  EXPECT_EQ(out_, "");
  report_ = nullptr;
  EXPECT_FALSE(run_doctor());
}

TEST_F(HostDoctor, TellsWhyTheServerRefuses) {
  status_ = 409;
  auto refused = run_doctor();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused.error().message, StartsWith("cannot examine a host"));
  for (unsigned status : {400U, 413U, 500U}) {
    status_ = status;
    refused = run_doctor();
    ASSERT_FALSE(refused);
    EXPECT_GT(traits(refused.error().kind).exit_code, 2) << status;
  }
}

}  // namespace
}  // namespace gantry::cli
