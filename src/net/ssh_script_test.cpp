#include "net/ssh_script.hpp"

#include "async/process.hpp"
#include "async/testing_fake.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

namespace fs = std::filesystem;

constexpr auto nonce = "x7k2";

/// What a shell prints that reads `text`.
class SshScripts : public testing::TestWithParam<std::vector<std::string>> {
 public:
  SshScripts() {
    std::string name = "/tmp/gantry-script-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~SshScripts() override { fs::remove_all(folder_); }
  SshScripts(const SshScripts&) = delete;
  SshScripts& operator=(const SshScripts&) = delete;

 protected:
  void SetUp() override {
    if (!fs::exists(GetParam().front())) GTEST_SKIP() << GetParam().front() << " is not here";
  }
  std::string print(std::string_view text) {
    auto file = folder_ / "text";
    std::ofstream{file} << text;
    auto argv = GetParam();
    argv.push_back(file);
    return value_or_throw(
               loop_.run(async::run_process({.argv = argv, .env = {"PATH=/usr/bin:/bin"}}, 65'536)))
        .output;
  }

  async::TestLoop loop_;
  fs::path folder_;
};

TEST_P(SshScripts, PrintBetweenTheirMarks) {
  auto said = print(marked_ssh_script("echo one; echo two; echo lost >&2", nonce));
  auto printed = printed_by_ssh_script("Welcome!" + said + "bye\n", nonce);
  EXPECT_EQ(printed.whole, "one\ntwo\n");
}

TEST_P(SshScripts, EndInTheirOwnShell) {
  auto said = print(marked_ssh_script("echo one; exit 3", nonce));
  EXPECT_EQ(printed_by_ssh_script(said, nonce).whole, "one\n");
}

TEST_P(SshScripts, HaveNothingToRead) {
  auto said = print(marked_ssh_script("cat; echo two", nonce));
  EXPECT_EQ(printed_by_ssh_script(said, nonce).whole, "two\n");
}

TEST_P(SshScripts, ThatWereCutOffDoNotBegin) {
  auto touched = folder_ / "touched";
  auto text = marked_ssh_script("touch " + touched.string() + "\necho one", nonce);
  auto said = print(text.substr(0, text.find("echo one")));
  EXPECT_FALSE(fs::exists(touched));
  EXPECT_FALSE(printed_by_ssh_script(said, nonce).whole);
  print(text);
  EXPECT_TRUE(fs::exists(touched));
}

INSTANTIATE_TEST_SUITE_P(Shells, SshScripts,
                         testing::Values(std::vector<std::string>{"/bin/sh"},
                                         std::vector<std::string>{"/bin/bash"},
                                         std::vector<std::string>{"/bin/busybox", "sh"}));

TEST(SshScript, IsNotTakenForRunByWhoRepeatsIt) {
  auto text = marked_ssh_script("echo one", nonce);
  auto printed = printed_by_ssh_script(text, nonce);
  EXPECT_FALSE(printed.began);
  EXPECT_FALSE(printed.whole);
}

TEST(SshScript, IsToldFromTheAnswerOfSomethingElse) {
  EXPECT_FALSE(printed_by_ssh_script("HTTP/1.1 400 Bad Request\r\n\r\n", nonce).began);
  auto other = printed_by_ssh_script("gantry-begin-other\none\ngantry-end-other\n", nonce);
  EXPECT_FALSE(other.began);
  auto half = printed_by_ssh_script("gantry-begin-x7k2\none\n", nonce);
  EXPECT_TRUE(half.began);
  EXPECT_FALSE(half.whole);
}

}  // namespace
}  // namespace gantry::net
