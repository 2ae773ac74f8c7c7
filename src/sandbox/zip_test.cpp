#include "sandbox/zip.hpp"

#include "sandbox/zip_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::sandbox::zip {
namespace {

using testing::HasSubstr;
using Members = std::vector<ZipMember>;

bool anything(std::string_view) { return true; }

std::vector<std::string> paths_in(const std::vector<File>& files) {
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(file.path);
  return paths;
}

std::string refusal(const std::string& archive, const Limits& limits = {},
                    const Allowed& allowed = anything) {
  auto files = unpack(archive, limits, allowed);
  return files ? "none" : files.error().message;
}

TEST(ZipTest, FilesComeOutAndFoldersAreImplied) {
  auto archive = zip_of({{"a.txt", "one"}, {"sub/", ""}, {"sub/deep/b.txt", "two"}});
  auto files = unpack(archive, {}, anything).value();
  EXPECT_THAT(paths_in(files), testing::ElementsAre("a.txt", "sub/deep/b.txt"));
  EXPECT_EQ(files[0].content, "one");
  EXPECT_EQ(files[1].content, "two");
}

TEST(ZipTest, NamesBeyondAsciiStay) {
  auto files = unpack(zip_of({{"naïve/данные.txt", "x"}}), {}, anything).value();
  EXPECT_EQ(files.at(0).path, "naïve/данные.txt");
}

TEST(ZipTest, ThePathThatComesTwiceHasItsLastContent) {
  auto files = unpack(zip_of({{"a.txt", "1"}, {"b.txt", "2"}, {"a.txt", "3"}}), {}, anything);
  EXPECT_THAT(paths_in(*files), testing::ElementsAre("a.txt", "b.txt"));
  EXPECT_EQ(files->at(0).content, "3");
}

TEST(ZipTest, AnArchiveMayBeEmpty) {
  EXPECT_EQ(refusal(std::string{"PK\5\6"} + std::string(18, '\0')), "none");
}

TEST(ZipTest, WhatIsNoArchiveIsRefused) {
  auto archive = zip_of({{"a.txt", "one two three"}});
  EXPECT_THAT(refusal(""), HasSubstr("cannot unpack the archive"));
  EXPECT_THAT(refusal("hello"), HasSubstr("cannot unpack the archive"));
  EXPECT_THAT(refusal(archive.substr(0, archive.size() / 2)), HasSubstr("cannot unpack"));
  auto damaged = zip_of({{"a.txt", std::string(1000, 'x')}}, Packing::stored);
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_THAT(refusal(damaged), HasSubstr("cannot unpack"));
}

TEST(ZipTest, NothingLeavesTheFolder) {
  for (const auto* path : {"../a.txt", "/etc/a.txt", "x/../../a.txt", "..", "a//b.txt"}) {
    EXPECT_THAT(refusal(zip_of({{path, "x"}})), HasSubstr("the path")) << path;
  }
}

TEST(ZipTest, LinksAreRefused) {
  EXPECT_THAT(refusal(zip_of({{"a.txt", "/etc/passwd", ZipMember::Kind::link}})),
              HasSubstr("'a.txt' is not a plain file"));
}

TEST(ZipTest, OnlyDeflateUnpacks) {
  EXPECT_EQ(refusal(zip_of({{"a.txt", "x"}}, Packing::stored)), "none");
  auto archive = zip_of({{"a.txt", std::string(100, 'x')}}, Packing::stored);
  constexpr char lzma = 14;
  archive[8] = lzma;  // the method, in the local header
  archive[archive.find("PK\1\2") + 10] = lzma;
  EXPECT_THAT(refusal(archive), HasSubstr("another method than deflate"));
}

TEST(ZipTest, EveryMemberMustBeAllowed) {
  auto text_only = [](std::string_view path) { return path.ends_with(".txt"); };
  EXPECT_EQ(refusal(zip_of({{"a.txt", "x"}}), {}, text_only), "none");
  EXPECT_THAT(refusal(zip_of({{"a.txt", "x"}, {"b.exe", "x"}}), {}, text_only),
              HasSubstr("'b.exe' is not allowed"));
}

TEST(ZipTest, MembersAreCounted) {
  Members members;
  for (int i = 0; i < 6; ++i) members.push_back({"f" + std::to_string(i), "x"});
  EXPECT_EQ(refusal(zip_of(members), {.files_max = 6}), "none");
  EXPECT_THAT(refusal(zip_of(members), {.files_max = 5}), HasSubstr("over 5 members"));
}

TEST(ZipTest, OneFileAndAllFilesAreBounded) {
  auto archive = zip_of({{"a", std::string(600, 'a')}, {"b", std::string(600, 'b')}});
  EXPECT_EQ(refusal(archive, {.file_bytes_max = 600, .bytes_max = 1'200}), "none");
  EXPECT_THAT(refusal(archive, {.file_bytes_max = 599}), HasSubstr("'a' has over 599 bytes"));
  EXPECT_THAT(refusal(archive, {.bytes_max = 1'199}), HasSubstr("over 1199 bytes together"));
}

TEST(ZipTest, ABombIsRefusedByItsRatio) {
  auto bomb = zip_of({{"zeros.txt", std::string(8U << 20U, '\0')}});
  ASSERT_LT(bomb.size(), 50'000U);
  EXPECT_THAT(refusal(bomb), HasSubstr("bytes together"));
  EXPECT_EQ(refusal(bomb, {.ratio_max = 2'000}), "none");
}

TEST(ZipTest, ItEndsWhenItTakesTooLong) {
  EXPECT_THAT(refusal(zip_of({{"a", "x"}}), {.time_max = Milliseconds{0}}),
              HasSubstr("takes too long"));
}

}  // namespace
}  // namespace gantry::sandbox::zip
