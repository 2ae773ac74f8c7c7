#include "fleet/recording_text.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using std::chrono::milliseconds;

TEST(RecordingText, BeginsWithTheHeaderOfAsciicast2) {
  EXPECT_EQ(RecordingText::header({.size = {.columns = 120, .rows = 40},
                                   .started_at = WallTime{milliseconds{1'790'000'000'500}},
                                   .title = "web-1 on local",
                                   .shell = "bash"}),
            R"({"version":2,"width":120,"height":40,"timestamp":1790000000,)"
            R"("title":"web-1 on local","env":{"SHELL":"bash","TERM":"xterm-256color"}})"
            "\n");
}

TEST(RecordingText, OutputIsALineWithItsTime) {
  RecordingText text;
  EXPECT_EQ(text.output(milliseconds{1'234}, "ls\r\n\x1b[1m\"x\""),
            "[1.234000, \"o\", \"ls\\u000d\\u000a\\u001b[1m\\\"x\\\"\"]\n");
}

TEST(RecordingText, ACharacterWaitsForItsRest) {
  RecordingText text;
  EXPECT_EQ(text.output(milliseconds{0}, "\xe2\x82"), "");
  EXPECT_EQ(text.output(milliseconds{5}, "\xac!"), "[0.005000, \"o\", \"\xe2\x82\xac!\"]\n");
}

TEST(RecordingText, WhatIsNoUtf8IsReplaced) {
  RecordingText text;
  EXPECT_EQ(text.output(milliseconds{0}, "a\xff"), "[0.000000, \"o\", \"a\\ufffd\"]\n");
  EXPECT_EQ(text.output(milliseconds{0}, "\xe2"), "");
  EXPECT_EQ(text.end(milliseconds{1}), "[0.001000, \"o\", \"\\ufffd\"]\n");
  EXPECT_EQ(text.end(milliseconds{1}), "");
}

TEST(RecordingText, ANewSizeIsAnEventOfItsOwn) {
  RecordingText text;
  EXPECT_EQ(text.resized(milliseconds{61'000}, {.columns = 100, .rows = 30}),
            "[61.000000, \"r\", \"100x30\"]\n");
}

}  // namespace
}  // namespace gantry::fleet
