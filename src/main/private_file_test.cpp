#include "main/private_file.hpp"

#include "base/error.hpp"
#include "storage/testing_fake.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

/// What was brought to the disk, in order, and whether the file had its name by then.
struct Synced {
  std::string what;
  bool named;
};
std::vector<Synced> synced;
std::filesystem::path watched;

}  // namespace

/// In the place of the library's: what a power cut would leave can be seen in no other way.
extern "C" int fsync(int file) {
  if (!watched.empty()) {
    auto link = std::filesystem::path{"/proc/self/fd"} / std::to_string(file);
    synced.push_back(
        {std::filesystem::read_symlink(link).filename(), std::filesystem::exists(watched)});
  }
  return static_cast<int>(::syscall(SYS_fsync, file));
}

namespace gantry::main {
namespace {

class PrivateFileTest : public testing::Test {
 protected:
  void SetUp() override {
    synced.clear();
    watched = path_;
  }
  void TearDown() override { watched.clear(); }

  std::string text() const {
    std::ifstream stream{path_, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }

  storage::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "secret";
};

TEST_F(PrivateFileTest, ItIsItsOwnersAndReplacedAsAWhole) {
  write_private(path_, "a longer text");
  write_private(path_, "short");
  EXPECT_EQ(text(), "short");
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(path_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "secret.new"));
}

TEST_F(PrivateFileTest, ItIsOnTheDiskBeforeItHasItsNameAndThenItsNameIs) {
  write_private(path_, "text");
  ASSERT_EQ(synced.size(), 2U);
  EXPECT_EQ(synced[0].what, "secret.new");
  EXPECT_FALSE(synced[0].named);
  EXPECT_EQ(synced[1].what, folder_.path().filename());
  EXPECT_TRUE(synced[1].named);
}

TEST_F(PrivateFileTest, AFolderThatIsNotThereIsTold) {
  EXPECT_THROW(write_private(folder_.path() / "no" / "secret", "text"), Failure);
}

}  // namespace
}  // namespace gantry::main
