#include "fleet/log_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FrameView;
using engine::Framing;
using engine::Output;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* nine = "2026-11-22T09:00:00.000000001Z ";
constexpr const char* ten = "2026-11-22T10:00:00.5+01:00 ";

std::vector<std::string> texts(const LogBatch& batch) {
  std::vector<std::string> out;
  for (const auto& entry : batch.entries) {
    auto name = entry.output == Output::err ? "err:" : "out:";
    out.push_back(name + std::string{batch.text(entry)});
  }
  return out;
}

TEST(LogTime, IsReadToTheNanosecondInAnyZone) {
  auto time = leading_time(std::string{nine} + "x");
  ASSERT_TRUE(time);
  EXPECT_EQ(rfc3339_nanoseconds(time->first), "2026-11-22T09:00:00.000000001Z");
  EXPECT_EQ(time->second, 31U);
  auto zoned = leading_time(std::string{ten} + "x");
  ASSERT_TRUE(zoned);
  EXPECT_EQ(rfc3339_nanoseconds(zoned->first), "2026-11-22T09:00:00.500000000Z");
}

TEST(LogTime, IsNotFoundWhereThereIsNone) {
  for (const auto* text :
       {"", "hello", "2026-11-22T09:00:00Z", "2026-13-22T09:00:00Z x", "2026-11-22T25:00:00Z x",
        "2026-11-22 09:00:00Z x", "2026-11-22T09:00:00.1 x", "9999-11-22T09:00:00Z x"}) {
    EXPECT_FALSE(leading_time(text)) << text;
  }
}

TEST(LogSplitter, AFrameIsAnEntryWhateverIsInIt) {
  LogSplitter splitter{Framing::multiplexed};
  auto first = std::string{nine} + "a\nb " + nine + "\n";
  auto second = std::string{nine} + "no end";
  splitter.feed({.output = Output::out, .bytes = first});
  splitter.feed({.output = Output::err, .bytes = second});
  EXPECT_THAT(texts(splitter.take()),
              ElementsAre("out:a\nb " + std::string{nine} + "\n", "err:no end"));
  EXPECT_TRUE(splitter.empty());
}

TEST(LogSplitter, AFrameThatComesInPiecesIsOneEntry) {
  LogSplitter splitter{Framing::multiplexed};
  auto whole = std::string{nine} + "hello\n";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    splitter.feed({.output = Output::err,
                   .bytes = std::string_view{whole}.substr(i, 1),
                   .begins = i == 0,
                   .ends = i + 1 == whole.size()});
  }
  EXPECT_THAT(texts(splitter.take()), ElementsAre("err:hello\n"));
}

TEST(LogSplitter, ATerminalsEntriesEndWithTheirLines) {
  LogSplitter splitter{Framing::raw};
  auto bytes = std::string{nine} + "one\r\n" + nine + "two\r\n" + nine + "$ ";
  for (auto c : bytes) splitter.feed({.bytes = std::string_view{&c, 1}});
  EXPECT_THAT(texts(splitter.take()), ElementsAre("out:one\r\n", "out:two\r\n"));
  splitter.finish();
  EXPECT_THAT(texts(splitter.take()), ElementsAre("out:$ "));
}

TEST(LogSplitter, ATerminalsLongLineLosesTheTimesBetweenItsPieces) {
  LogSplitter splitter{Framing::raw};
  std::string piece(LogSplitter::entry_max, 'x');
  auto bytes = nine + piece + nine + "y\n";
  splitter.feed({.bytes = bytes});
  EXPECT_THAT(texts(splitter.take()), ElementsAre("out:" + piece, "out:y\n"));
}

TEST(LogSplitter, AnEntryWithoutATimeIsShownAsItIs) {
  LogSplitter splitter{Framing::multiplexed};
  splitter.feed({.bytes = "plain\n"});
  auto batch = splitter.take();
  EXPECT_THAT(texts(batch), ElementsAre("out:plain\n"));
  EXPECT_EQ(batch.entries[0].at_ns, 0);
}

}  // namespace
}  // namespace gantry::fleet
