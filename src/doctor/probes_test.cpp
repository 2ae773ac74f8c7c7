// What is read from the kernel's files, byte by byte.
#include "base/random.hpp"
#include "doctor/accounts.hpp"
#include "doctor/files.hpp"
#include "doctor/machine.hpp"
#include "doctor/socket_file.hpp"
#include "doctor/versions.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ProcessIds, AreTheEffectiveOnesAndTheGroups) {
  auto ids = read_process_ids(
      "Name:\tgantry\nPPid:\t1\nUid:\t1000\t1001\t1000\t1000\nGid:\t1000\t1002\t1000\t1000\n"
      "Groups:\t27 998 1000 \nNStgid:\t812\n");
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->uid, 1001U);
  EXPECT_EQ(ids->gid, 1002U);
  EXPECT_THAT(ids->groups, ElementsAre(27, 998, 1000));
  EXPECT_EQ(ids->parent, 1U);
}

TEST(ProcessIds, AreNoneOfATextThatIsNoStatus) { EXPECT_FALSE(read_process_ids("no status")); }

TEST(ProcessIds, MayHaveNoGroupsAtAll) {
  auto ids = read_process_ids("Uid:\t5 5 5 5\nGid:\t5 5 5 5\nGroups:\t \n");
  ASSERT_TRUE(ids);
  EXPECT_THAT(ids->groups, IsEmpty());
}

TEST(DynamicAccounts, AreThoseThatSystemdHasMadeAndNotWhoseNumberIsAlike) {
  std::string name = "/tmp/gantry-dynamic-XXXXXX";
  std::filesystem::path accounts = ::mkdtemp(name.data());
  std::filesystem::create_symlink("ci", accounts / "direct:64055");
  EXPECT_TRUE(is_dynamic(64'055, accounts));
  // libvirt-qemu has the next one on many a machine, and for good.
  EXPECT_FALSE(is_dynamic(64'056, accounts));
  EXPECT_FALSE(is_dynamic(64'055, accounts / "none"));
  std::filesystem::remove_all(accounts);
}

TEST(WhoseGroupItIs, IsReadByNumbers) {
  constexpr std::string_view passwd =
      "root:x:0:0:root:/root:/bin/sh\nci:x:1001:998:CI:/:/bin/sh\nann:x:998:1000::/:/bin/sh\n"
      "odd:x:1:998x:\nshort:x:998\nbob:x:1002:998::/:\n";
  EXPECT_THAT(whose_group_is(998, passwd), ElementsAre("ci", "bob"));
  EXPECT_THAT(whose_group_is(5, passwd), IsEmpty());
}

TEST(Service, IsTheOneOfTheSystemInEitherVersionOfControlGroups) {
  EXPECT_EQ(read_service("0::/system.slice/gantry.service\n"), "gantry");
  EXPECT_EQ(read_service("12:pids:/system.slice/gantry.service\n"
                         "1:name=systemd:/system.slice/gantry.service\n0::/\n"),
            "gantry");
  EXPECT_EQ(read_service("0::/system.slice/system-gantry.slice/gantry@a:b.service\n"),
            "gantry@a:b");
}

TEST(Service, IsNoneOfSessionsContainersAndStrangeNames) {
  EXPECT_EQ(read_service(""), "");
  EXPECT_EQ(read_service("0::/\n"), "");
  EXPECT_EQ(read_service("0::/user.slice/user-1000.slice/session-3.scope\n"), "");
  EXPECT_EQ(read_service("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n"),
            "");
  EXPECT_EQ(read_service("0::/system.slice/docker-3f.scope\n"), "");
  EXPECT_EQ(read_service("0::/system.slice/containerd.service/pods/3f\n"), "");
  EXPECT_EQ(read_service("0::/system.slice/a'b.service\n"), "");
  EXPECT_EQ(read_service("4:memory:/system.slice/gantry.service\n"), "");
}

constexpr std::string_view mounts =
    "22 1 0:20 / / rw,relatime - overlay overlay rw\n"
    "30 22 0:26 / /run ro,nosuid - tmpfs tmpfs rw\n"
    "31 30 0:26 /docker.sock /run/docker.sock rw,nosuid - tmpfs tmpfs rw\n";

TEST(MountOf, FindsTheMountAtThePathItself) {
  auto mount = mount_of(mounts, "/run/docker.sock");
  EXPECT_TRUE(mount.own);
  EXPECT_FALSE(mount.read_only);
}

TEST(MountOf, FindsTheNearestMountAbove) {
  auto mount = mount_of(mounts, "/run/user/1000/docker.sock");
  EXPECT_FALSE(mount.own);
  EXPECT_TRUE(mount.read_only);
}

TEST(MountOf, DoesNotTakeANameThatBeginsAlike) {
  EXPECT_FALSE(mount_of(mounts, "/runner/docker.sock").read_only);
}

TEST(ListeningAt, TellsAddressesThatReachBeyondThisMachine) {
  constexpr std::string_view tcp =
      "  sl  local_address rem_address   st tx_queue rx_queue\n"
      "   0: 00000000:0947 00000000:0000 0A 00000000:00000000\n"
      "   1: 0100007F:0947 00000000:0000 0A 00000000:00000000\n"
      "   2: 0A01A8C0:0947 0B01A8C0:C350 01 00000000:00000000\n"
      "   3: 0A01A8C0:0948 00000000:0000 0A 00000000:00000000\n"
      "   4: 00000000:0016 00000000:0000 0A 00000000:00000000\n";
  constexpr std::string_view tcp6 =
      "   0: 00000000000000000000000000000000:0947 "
      "00000000000000000000000000000000:0000 0A 00000000:00000000\n"
      "   1: 00000000000000000000000001000000:0947 "
      "00000000000000000000000000000000:0000 0A 00000000:00000000\n";
  EXPECT_THAT(listening_at(tcp, tcp6, {2375, 2376}),
              ElementsAre("0.0.0.0:2375", "192.168.1.10:2376", "[::]:2375"));
}

TEST(LogsAreBounded, BySizeOrByAnotherDriver) {
  EXPECT_EQ(logs_are_bounded(R"({"log-opts": {"max-size": "10m"}})"), true);
  EXPECT_EQ(logs_are_bounded(R"({"log-driver": "local"})"), true);
  EXPECT_EQ(logs_are_bounded(R"({"log-opts": {"max-file": "3"}})"), false);
  EXPECT_EQ(logs_are_bounded("{}"), false);
  EXPECT_EQ(logs_are_bounded("no json"), std::nullopt);
}

TEST(Versions, AreReadUpToWhatIsNoNumber) {
  EXPECT_EQ(Version::parse("20.10.24+dfsg1")->text(), "20.10.24");
  EXPECT_EQ(Version::parse("v1.7")->text(), "1.7.0");
  EXPECT_FALSE(Version::parse("unknown"));
}

TEST(KnownFixes, AreThoseOfTheSameLine) {
  EXPECT_EQ(known_fixes("containerd", "2.0.9").fixed_in, "2.0.10");
  EXPECT_EQ(known_fixes("containerd", "2.0.10").state, Known::State::fixed);
  EXPECT_EQ(known_fixes("containerd", "1.7.33").state, Known::State::fixed);
}

TEST(KnownFixes, NeverCameToALineThatIsNotNamed) {
  EXPECT_EQ(known_fixes("containerd", "1.6.99").state, Known::State::older);
  EXPECT_EQ(known_fixes("Engine", "20.10.24+dfsg1").state, Known::State::older);
}

TEST(KnownFixes, AreInEveryNewerLine) {
  EXPECT_EQ(known_fixes("runc", "1.5.0").state, Known::State::fixed);
}

TEST(KnownFixes, AreUnknownOfOtherComponents) {
  EXPECT_EQ(known_fixes("docker-init", "0.19.0").state, Known::State::unknown);
  EXPECT_EQ(known_fixes("runc", "").state, Known::State::unknown);
}

TEST(FoundIn, PassesOverWhatCanNotBeRun) {
  namespace fs = std::filesystem;
  auto folder = fs::temp_directory_path() / ("gantry-test-" + random::word(12));
  auto put = [&](const fs::path& file, fs::perms mode) {
    fs::create_directories(file.parent_path());
    std::ofstream{file} << "#!/bin/sh\n";
    fs::permissions(file, mode);
  };
  put(folder / "first" / "docker", fs::perms{0644});
  put(folder / "second" / "docker", fs::perms{0755});
  auto path = fmt::format("{0}/none::{0}/first:{0}/second", folder.string());
  EXPECT_EQ(found_in(path, "docker"), folder / "second" / "docker");
  EXPECT_EQ(found_in(path, "docker-compose"), "");
  fs::remove_all(folder);
}

TEST(Repackaged, IsWhatADistributionHasMarked) {
  EXPECT_TRUE(is_repackaged("20.10.24+dfsg1"));
  EXPECT_TRUE(is_repackaged("1.6.20~ds1"));
  EXPECT_FALSE(is_repackaged("29.5.1"));
}

}  // namespace
}  // namespace gantry::doctor
