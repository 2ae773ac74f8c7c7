#include "sandbox/cgroups.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(CgroupLayout, OfTheOldHierarchiesIsAFolderForEachController) {
  auto layout = read_cgroup_layout(
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n",
      "4:memory:/system/gantry\n2:cpu,cpuacct:/\n1:name=systemd:/x\n");
  EXPECT_THAT(layout.v1, ElementsAre(Pair("cpu", "/sys/fs/cgroup/cpu,cpuacct"),
                                     Pair("cpuacct", "/sys/fs/cgroup/cpu,cpuacct"),
                                     Pair("memory", "/sys/fs/cgroup/memory/system/gantry")));
  EXPECT_FALSE(layout.v2);
}

TEST(CgroupLayout, OfTheNewHierarchyIsOneFolder) {
  auto layout =
      read_cgroup_layout("31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
                         "0::/system.slice/gantry.service\n");
  EXPECT_THAT(layout.v1, IsEmpty());
  EXPECT_EQ(layout.v2, "/sys/fs/cgroup/system.slice/gantry.service");
}

TEST(CgroupLayout, OfAMixtureHasBoth) {
  auto layout = read_cgroup_layout(
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "4:memory:/\n0::/\n");
  EXPECT_THAT(layout.v1, ElementsAre(Pair("memory", "/sys/fs/cgroup/memory")));
  EXPECT_EQ(layout.v2, "/sys/fs/cgroup/unified");
}

TEST(CgroupLayout, InAContainerThatSeesThePathsOfItsHostIsRelativeToItsMount) {
  auto layout = read_cgroup_layout(
      "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "4:memory:/docker/abc/inner\n");
  EXPECT_THAT(layout.v1, ElementsAre(Pair("memory", "/sys/fs/cgroup/memory/inner")));
}

TEST(CgroupLayout, LeavesOutAGroupThatIsNotBelowItsMount) {
  auto layout = read_cgroup_layout(
      "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "4:memory:/elsewhere\n");
  EXPECT_THAT(layout.v1, IsEmpty());
}

TEST(CgroupLayout, ReadsNothingOutOfNothing) {
  EXPECT_THAT(read_cgroup_layout("", "").v1, IsEmpty());
  EXPECT_THAT(read_cgroup_layout("a b - c\n- - - -\n", "x\n1:2\n").v1, IsEmpty());
}

TEST(Cgroups, WithoutHierarchiesAreNoneAndHarmless) {
  auto groups = Cgroups::open({}, "test");
  EXPECT_EQ(groups.capabilities().words(), "none");
  auto group = groups.make("1");
  ASSERT_TRUE(group);
  EXPECT_TRUE(group->limit(Policy{}));
  EXPECT_THAT(group->open().value(), IsEmpty());
  EXPECT_EQ(group->oom_kills(), 0U);
}

/// A folder with the files that the new hierarchy has, as text.
class AFakeHierarchy : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = std::filesystem::temp_directory_path() / "gantry-cgroups-XXXXXX";
    std::string path = pattern;
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    write("cgroup.controllers", "cpuset io pids\n");
    write("cgroup.subtree_control", "");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, std::string_view text) {
    std::ofstream{folder_ + "/" + name} << text;
  }
  std::string read(const std::string& name) {
    std::ifstream file{folder_ + "/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  std::string folder_;
};

TEST_F(AFakeHierarchy, PassesOnAlsoTheLastControllerOfItsLine) {
  Cgroups::open({.v1 = {}, .v2 = folder_}, "test");
  EXPECT_EQ(read("cgroup.subtree_control"), "+pids");
}

TEST_F(AFakeHierarchy, LeavesAloneWhatIsPassedOn) {
  write("cgroup.subtree_control", "cpu pids\n");
  Cgroups::open({.v1 = {}, .v2 = folder_}, "test");
  EXPECT_EQ(read("cgroup.subtree_control"), "cpu pids\n");
}

TEST(CgroupCapabilities, AreWordsForPeople) {
  EXPECT_EQ((CgroupCapabilities{.memory = true, .pids = true, .cpu_time = true}).words(),
            "memory, pids, cpu time");
}

}  // namespace
}  // namespace gantry::sandbox
