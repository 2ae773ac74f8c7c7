#include "executions/files.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <fstream>

#include <gtest/gtest.h>

namespace gantry::executions {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  Result<std::string> read(const std::string& id, const std::string& name) {
    return loop_.run(files_.read(ExecutionId{id}, name));
  }
  void write(const std::string& id, const std::string& name, std::string_view bytes) {
    loop_.run(files_.write(ExecutionId{id}, {{name, bytes}}));
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  async::Workers workers_{1, 8};
  fs::path place_ = folder_.path() / "executions";
  Files files_{place_, workers_};
};

TEST_F(FilesTest, WhatIsWrittenIsReadAgain) {
  write("a", "stdout", std::string_view{"\0x\xff", 3});
  EXPECT_EQ(read("a", "stdout"), (std::string{"\0x\xff", 3}));
  write("a", "stdout", "less");
  EXPECT_EQ(read("a", "stdout"), "less");
}

TEST_F(FilesTest, OnlyTheOwnerReadsThem) {
  write("a", "stdout", "x");
  auto mode = [](const fs::path& path) { return fs::status(path).permissions(); };
  EXPECT_EQ(mode(place_ / "a"), fs::perms::owner_all);
  EXPECT_EQ(mode(place_ / "a/stdout"), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FilesTest, WhatIsNotThereIsLost) {
  EXPECT_EQ(read("a", "stdout").error().code, "output_lost");
}

TEST_F(FilesTest, WhatIsNotWholeIsLost) {
  write("a", "stdout", "abc");
  auto open = [&](std::uint64_t size) {
    return loop_.run(files_.open(ExecutionId{"a"}, "stdout", size));
  };
  EXPECT_EQ(open(4).error().code, "output_lost");
  EXPECT_EQ(open(3)->size(), 3U);
}

TEST_F(FilesTest, ALargeFileIsReadInPieces) {
  write("a", "stdout", std::string(300'000, 'x'));
  auto reader = loop_.run(files_.open(ExecutionId{"a"}, "stdout")).value();
  EXPECT_EQ(loop_.run(reader.next()).size(), 262'144U);
  EXPECT_EQ(loop_.run(reader.next()).size(), 300'000U - 262'144U);
  EXPECT_EQ(loop_.run(reader.next()), "");
}

TEST_F(FilesTest, RemovingTakesTheWholeFolder) {
  write("a", "stdout", "x");
  write("b", "stdout", "y");
  loop_.run(files_.remove({ExecutionId{"a"}, ExecutionId{"never"}}));
  EXPECT_FALSE(fs::exists(place_ / "a"));
  EXPECT_EQ(read("b", "stdout"), "y");
}

TEST_F(FilesTest, WhatNobodyKnowsGoes) {
  write("a", "stdout", "x");
  write("b", "stdout", "y");
  loop_.run(files_.keep_only({ExecutionId{"b"}}));
  EXPECT_FALSE(fs::exists(place_ / "a"));
  EXPECT_TRUE(fs::exists(place_ / "b"));
}

TEST_F(FilesTest, AFolderThatCanNotBeMadeIsSaid) {
  std::ofstream{place_} << "a file";
  auto written = loop_.run(async::attempt(files_.write(ExecutionId{"a"}, {{"stdout", "x"}})));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "data_dir_not_writable");
}

}  // namespace
}  // namespace gantry::executions
