#include "api/execution_json.hpp"

#include "api/json_text.hpp"

#include <gtest/gtest.h>

namespace gantry::api {
namespace {

executions::Record finished() {
  executions::Record record;
  record.id = executions::ExecutionId{"01j"};
  record.language = "python";
  record.image = "python:3.11-alpine";
  record.source = "print(1)";
  record.state = executions::State::finished;
  record.output = "1\n";
  record.outcome = sandbox::Outcome{
      {.verdict = sandbox::Verdict::ok, .exit_code = 0, .wall_time = Microseconds{12'345}}};
  record.outcome->served_image = "gantry/python:latest";
  return record;
}

/// As those are told of it who are told everything.
json::Object told(const executions::Record& record) {
  return execution_json(record, record.outcome ? record.outcome->message : "");
}

TEST(ExecutionJsonTest, AFinishedOneHasItsVerdictAndOutput) {
  auto json = told(finished());
  EXPECT_EQ(json["verdict"], "ok");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["signal"], nullptr);
  EXPECT_EQ(json["served_image"], "gantry/python:latest");
  EXPECT_EQ(json["stdout"], "1\n");
  EXPECT_EQ(json["encoding"], "utf8");
  EXPECT_EQ(json["source"], "print(1)");
  EXPECT_EQ(json["message"], nullptr);
  EXPECT_EQ(json["error_code"], nullptr);
  EXPECT_EQ(json_text(json["wall_time_ms"]), "12.345");
}

TEST(ExecutionJsonTest, WhatWasNotTheProgramsDoingHasACode) {
  auto record = finished();
  record.outcome = sandbox::Outcome{{.verdict = sandbox::Verdict::infrastructure_error,
                                     .message = "cannot reach the engine",
                                     .error_code = "engine_unreachable"}};
  EXPECT_EQ(told(record)["error_code"], "engine_unreachable");
}

TEST(ExecutionJsonTest, BothStreamsAreBase64WhenOneIsNotText) {
  auto record = finished();
  record.errors = "\xff";
  auto json = told(record);
  EXPECT_EQ(json["encoding"], "base64");
  EXPECT_EQ(json["stdout"], "MQo=");
  EXPECT_EQ(json["stderr"], "/w==");
}

TEST(ExecutionJsonTest, WhatIsNotKnownYetIsNull) {
  executions::Record record;
  record.image = "alpine:latest";
  auto json = told(record);
  for (auto member : {"language", "served_image", "verdict", "exit_code", "started_at",
                      "finished_at", "wall_time_ms", "memory_peak_bytes", "source"}) {
    EXPECT_EQ(json[member], nullptr) << member;
  }
  EXPECT_EQ(json["state"], "queued");
}

TEST(ExecutionJsonTest, ListsLeaveOutWhatMayBeLong) {
  auto json = execution_item_json(finished());
  for (auto member : {"stdout", "stderr", "source", "message", "encoding"}) {
    EXPECT_FALSE(json.contains(member)) << member;
  }
}

TEST(CharacterBorderTest, ACharacterInTwoPiecesStaysText) {
  CharacterBorder border;
  EXPECT_EQ(border.take("a\xc3"), "a");
  EXPECT_EQ(border.take("\xa4"
                        "b\xf0\x9f\x92"),
            "\xc3\xa4"
            "b");
  EXPECT_EQ(border.take("\xa9"), "\xf0\x9f\x92\xa9");
  EXPECT_EQ(border.rest(), "");
}

TEST(CharacterBorderTest, WhatIsNoTextComesAtOnce) {
  CharacterBorder border;
  EXPECT_EQ(border.take("\xff\xc3"), "\xff\xc3");
  EXPECT_EQ(border.take("\xc3"), "");
  EXPECT_EQ(border.rest(), "\xc3");
}

TEST(OutputJsonTest, TextIsTextAndBytesAreBase64) {
  EXPECT_EQ(json_text(output_json("a\n")), R"({"text":"a\n"})");
  EXPECT_EQ(json_text(output_json("\xff")), R"({"base64":"/w=="})");
}

}  // namespace
}  // namespace gantry::api
