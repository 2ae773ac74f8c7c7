#include "fleet/terminal_replay.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

bool boundary_after(std::string_view bytes) {
  TerminalScanner scanner;
  for (char byte : bytes) scanner.feed(byte);
  return scanner.at_boundary();
}

TEST(TerminalScanner, OutputMayBeCutBetweenCharacters) {
  EXPECT_TRUE(boundary_after("abc"));
  EXPECT_TRUE(boundary_after("caf\xc3\xa9"));
  EXPECT_FALSE(boundary_after("caf\xc3"));
  EXPECT_FALSE(boundary_after("\xf0\x9f\x98"));
  EXPECT_TRUE(boundary_after("\xf0\x9f\x98\x80"));
}

TEST(TerminalScanner, BytesThatAreNoUtf8HideNoBoundary) {
  EXPECT_TRUE(boundary_after("\xff"));
  EXPECT_TRUE(boundary_after("\x80"));
  EXPECT_TRUE(boundary_after("\xf0\x9f!"));
}

TEST(TerminalScanner, OutputIsNotCutInsideAControlSequence) {
  EXPECT_FALSE(boundary_after("\x1b"));
  EXPECT_FALSE(boundary_after("\x1b["));
  EXPECT_FALSE(boundary_after("\x1b[1;31"));
  EXPECT_TRUE(boundary_after("\x1b[1;31m"));
  EXPECT_FALSE(boundary_after("\x1b("));
  EXPECT_TRUE(boundary_after("\x1b(B"));
  EXPECT_TRUE(
      boundary_after("\x1b"
                     "7"));
}

TEST(TerminalScanner, OutputIsNotCutInsideATextForTheTerminal) {
  EXPECT_FALSE(boundary_after("\x1b]0;title"));
  EXPECT_TRUE(boundary_after("\x1b]0;title\x07"));
  EXPECT_FALSE(boundary_after("\x1b]8;;https://example.org\x1b"));
  EXPECT_TRUE(boundary_after("\x1b]8;;https://example.org\x1b\\"));
  EXPECT_FALSE(boundary_after("\x1bP$q\"p"));
  EXPECT_TRUE(boundary_after("\x1bP$q\"p\x1b\\"));
}

TEST(TerminalScanner, CancelEndsASequence) {
  EXPECT_TRUE(boundary_after("\x1b[1;31\x18"));
  EXPECT_TRUE(boundary_after("\x1b]0;title\x1a"));
}

TEST(TerminalReplay, WhatFitsIsKeptAsItWas) {
  TerminalReplay replay{16};
  replay.append("one ");
  replay.append("two");
  EXPECT_EQ(replay.snapshot(), "one two");
}

TEST(TerminalReplay, TheLastOfItIsKept) {
  TerminalReplay replay{4096};
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + "\n";
  replay.append(text);
  auto kept = replay.snapshot();
  EXPECT_LE(kept.size(), 4096U);
  EXPECT_GT(kept.size(), 4096U - 1100U);
  EXPECT_TRUE(text.ends_with(kept));
}

TEST(TerminalReplay, ItBeginsWithAWholeCharacter) {
  TerminalReplay replay{2048};
  std::string text;
  for (int i = 0; i < 4001; ++i) text += "\xe2\x82\xac";
  for (char byte : text) replay.append({&byte, 1});
  EXPECT_LE(replay.size(), 2048U);
  EXPECT_TRUE(text::valid_utf8(replay.snapshot()));
}

TEST(TerminalReplay, ItBeginsBehindAnEscapeSequence) {
  TerminalReplay replay{2048};
  std::string long_title = "\x1b]0;" + std::string(3000, 't') + "\x07";
  replay.append("before" + long_title + "after");
  EXPECT_EQ(replay.snapshot(), "after");
}

TEST(TerminalReplay, ASequenceThatNeverEndsIsNotKept) {
  TerminalReplay replay{2048};
  replay.append("\x1bP" + std::string(10'000, 'x'));
  replay.append(std::string(10, 'y'));
  EXPECT_EQ(replay.snapshot(), "");
  replay.append("\x1b\\z");
  EXPECT_EQ(replay.snapshot(), "z");
}

TEST(TerminalReplay, AScreenIsToldOfTheModesOfBefore) {
  TerminalReplay replay{2048};
  replay.append("\x1b[?1049h\x1b[?25;2004h\x1b[?25l");
  EXPECT_EQ(replay.snapshot(), "\x1b[?1049h\x1b[?25;2004h\x1b[?25l");
  for (int i = 0; i < 100; ++i) replay.append(std::string(99, 'x') + "\n");
  auto kept = replay.snapshot();
  EXPECT_TRUE(kept.starts_with("\x1b[?25l\x1b[?1049h\x1b[?2004hx")) << kept.substr(0, 40);
}

TEST(UnfinishedUtf8, IsTheBeginningOfACharacterAtTheEnd) {
  EXPECT_EQ(unfinished_utf8(""), 0U);
  EXPECT_EQ(unfinished_utf8("abc"), 0U);
  EXPECT_EQ(unfinished_utf8("\xe2\x82\xac"), 0U);
  EXPECT_EQ(unfinished_utf8("a\xe2\x82"), 2U);
  EXPECT_EQ(unfinished_utf8("a\xf0\x9f\x98"), 3U);
  EXPECT_EQ(unfinished_utf8("a\xc3"), 1U);
  EXPECT_EQ(unfinished_utf8("\x80\x80\x80\x80"), 0U);
}

}  // namespace
}  // namespace gantry::fleet
