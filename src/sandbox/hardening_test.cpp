#include "sandbox/hardening.hpp"

#include "sandbox/embedded.hpp"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// An image that would like to be in charge.
ServedImage hostile_image() {
  return {.name = "evil:latest",
          .id = "sha256:" + std::string(64, 'a'),
          .volumes = {"/data", "/tmp", "/box", "/dev/shm"},
          .env = {"LD_PRELOAD=/evil.so", "GCONV_PATH=/x", "HOME=/root", "PATH=/evil"}};
}

engine::ContainerSpec hardened(Policy policy = {}) {
  Placement placement{.owner = "server1",
                      .label = "run1",
                      .user_id = 40'007,
                      .init_volume = "gantry-init-abc",
                      .deadline = WallTime{Milliseconds{1'790'000'000'999}}};
  return hardened_container(policy, hostile_image(), placement);
}

/// One promise of architecture.md section 5.
struct Promise {
  std::string name;
  std::function<bool(const engine::ContainerSpec&)> kept;
};

class HardeningPromise : public testing::TestWithParam<Promise> {};

TEST_P(HardeningPromise, IsKept) { EXPECT_TRUE(GetParam().kept(hardened())); }

using Spec = engine::ContainerSpec;

bool has_ulimit(const Spec& spec, const engine::Ulimit& limit) {
  return std::ranges::find(spec.ulimits, limit) != spec.ulimits.end();
}
bool has_option(const Spec& spec, const std::string& option) {
  return std::ranges::find(spec.security_opt, option) != spec.security_opt.end();
}
std::string tmpfs(const Spec& spec, const char* path) {
  auto found = spec.tmpfs.find(path);
  return found == spec.tmpfs.end() ? "" : found->second;
}

INSTANTIATE_TEST_SUITE_P(
    WhoAndWhat, HardeningPromise,
    testing::Values(
        Promise{"NumericUserAndGroup", [](const Spec& s) { return s.user == "40007:40007"; }},
        Promise{"ImageByItsId", [](const Spec& s) { return s.image == hostile_image().id; }},
        Promise{"InitIsPid1",
                [](const Spec& s) {
                  return s.init == false && s.cmd.empty() &&
                         s.entrypoint == std::vector<std::string>{"/.gantry/gantry-init"};
                }},
        Promise{"OurFolder", [](const Spec& s) { return s.working_dir == "/box"; }},
        Promise{"OurHostname", [](const Spec& s) { return s.hostname == "sandbox"; }},
        Promise{"NoHealthcheck",
                [](const Spec& s) { return s.healthcheck == engine::Healthcheck::none; }},
        Promise{"StoppedByKill",
                [](const Spec& s) {
                  return s.stop_signal == "SIGKILL" && s.stop_timeout_seconds == 0;
                }},
        Promise{"NoTerminal", [](const Spec& s) { return !s.tty; }},
        Promise{"ProgramOverTheAttachedStream",
                [](const Spec& s) {
                  return s.attach_stdin && s.attach_stdout && s.attach_stderr && s.open_stdin &&
                         s.stdin_once;
                }},
        Promise{"NotRemovedBehindOurBack", [](const Spec& s) { return !s.auto_remove; }},
        Promise{"LabelledForTheSweep",
                [](const Spec& s) {
                  return s.labels ==
                         std::map<std::string, std::string>{{"io.gantry.kind", "sandbox"},
                                                            {"io.gantry.owner", "server1"},
                                                            {"io.gantry.execution", "run1"},
                                                            {"io.gantry.deadline", "1790000000"}};
                }}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Isolation, HardeningPromise,
    testing::Values(
        Promise{"NoCapability",
                [](const Spec& s) {
                  return s.cap_drop == std::vector<std::string>{"ALL"} && s.cap_add.empty();
                }},
        Promise{"NoNewPrivileges",
                [](const Spec& s) { return has_option(s, "no-new-privileges:true"); }},
        Promise{"OurSeccompProfile",
                [](const Spec& s) {
                  return has_option(s, "seccomp=" + std::string{embedded::seccomp_profile()});
                }},
        Promise{"NothingElseAboutSecurity",
                [](const Spec& s) { return s.security_opt.size() == 2; }},
        Promise{"ReadOnlyRoot", [](const Spec& s) { return s.read_only_root; }},
        Promise{"NoNetwork", [](const Spec& s) { return s.network_mode == "none"; }},
        Promise{"NoResolverOfTheHost",
                [](const Spec& s) {
                  return s.dns == std::vector<std::string>{"127.0.0.1"} && s.extra_hosts.empty();
                }},
        Promise{"PrivateIpc", [](const Spec& s) { return s.ipc_mode == "private"; }},
        Promise{"PrivateCgroups", [](const Spec& s) { return s.cgroupns_mode == "private"; }},
        Promise{"NoLog", [](const Spec& s) { return s.log_driver == "none"; }},
        Promise{"OnlyInitIsMounted",
                [](const Spec& s) {
                  return s.mounts == std::vector<engine::VolumeMount>{
                                         {"gantry-init-abc", "/.gantry", true, true}};
                }}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Limits, HardeningPromise,
    testing::Values(
        Promise{"MemoryWithoutSwap",
                [](const Spec& s) {
                  return s.memory_bytes == 256 << 20 && s.memory_swap_bytes == s.memory_bytes;
                }},
        Promise{"Cpus", [](const Spec& s) { return s.nano_cpus == 1'000'000'000; }},
        Promise{"PidsAndInit", [](const Spec& s) { return s.pids_limit == 65; }},
        Promise{"OpenFiles", [](const Spec& s) { return has_ulimit(s, {"nofile", 1024, 1024}); }},
        Promise{"FileSize",
                [](const Spec& s) { return has_ulimit(s, {"fsize", 64 << 20, 64 << 20}); }},
        Promise{"NoCoreDumps", [](const Spec& s) { return has_ulimit(s, {"core", 0, 0}); }},
        Promise{"NoPinnedMemory", [](const Spec& s) { return has_ulimit(s, {"memlock", 0, 0}); }},
        Promise{"NoMessageQueues", [](const Spec& s) { return has_ulimit(s, {"msgqueue", 0, 0}); }},
        Promise{"KilledBeforeTheHostsOwn",
                [](const Spec& s) { return s.oom_score_adj.value_or(0) > 0; }},
        Promise{"BoxIsSizedAndExecutable",
                [](const Spec& s) {
                  return tmpfs(s, "/box") ==
                         "rw,exec,mode=0700,nosuid,nodev,size=67108864,nr_inodes=16384,"
                         "uid=40007,gid=40007";
                }},
        Promise{"TmpIsSizedAndNotExecutable",
                [](const Spec& s) {
                  return tmpfs(s, "/tmp") ==
                         "rw,noexec,mode=0700,nosuid,nodev,size=67108864,nr_inodes=16384,"
                         "uid=40007,gid=40007";
                }},
        Promise{"ShmIsShut",
                [](const Spec& s) {
                  return tmpfs(s, "/dev/shm") == "ro,noexec,nosuid,nodev,size=4k,mode=0755";
                }},
        Promise{"VolumesOfTheImageAreShut",
                [](const Spec& s) { return tmpfs(s, "/data") == tmpfs(s, "/dev/shm"); }},
        Promise{"NothingElseIsWritable", [](const Spec& s) { return s.tmpfs.size() == 4; }}),
    [](const auto& info) { return info.param.name; });

TEST(HardeningTest, NoVariableOfTheImageReachesInit) {
  EXPECT_THAT(hardened().env, ElementsAre("LD_PRELOAD", "GCONV_PATH", "HOME", "PATH", "HOME=/box"));
}

TEST(HardeningTest, NothingOfTheRequestIsLeftToTheImage) {
  auto body = engine::to_json(hardened()).as_object();
  EXPECT_THAT(body["Env"].as_array(), Not(IsEmpty()));
  EXPECT_THAT(body["Entrypoint"].as_array(), Not(IsEmpty()));
  EXPECT_FALSE(body["User"].as_string().empty());
  EXPECT_FALSE(body["WorkingDir"].as_string().empty());
  EXPECT_FALSE(body["StopSignal"].as_string().empty());
  EXPECT_EQ(body["Healthcheck"], (json::Object{{"Test", json::Array{"NONE"}}}));
}

TEST(HardeningTest, ThePolicyDecidesTheLimits) {
  Policy policy{.cpus = 0.25, .pids = 8};
  policy.memory = {16U << 20U};
  policy.tmpfs = {1U << 20U};
  auto spec = hardened(policy);
  EXPECT_EQ(spec.memory_bytes, 16 << 20);
  EXPECT_EQ(spec.memory_swap_bytes, 16 << 20);
  EXPECT_EQ(spec.nano_cpus, 250'000'000);
  EXPECT_EQ(spec.pids_limit, 9);
  EXPECT_THAT(spec.tmpfs["/box"], HasSubstr("size=1048576,"));
  EXPECT_THAT(spec.ulimits, Contains(engine::Ulimit{"fsize", 1 << 20, 1 << 20}));
}

TEST(HardeningTest, InASandboxOnlyTheBoxIsWritable) {
  auto spec = hardened({.filesystem = Filesystem::sandbox});
  EXPECT_EQ(spec.tmpfs["/tmp"], spec.tmpfs["/dev/shm"]);
  EXPECT_THAT(spec.tmpfs["/box"], HasSubstr("rw,exec"));
}

TEST(HardeningTest, TheFullNetworkIsTheEnginesBridgeWithItsOwnResolver) {
  auto spec = hardened({.network = Network::full});
  EXPECT_EQ(spec.network_mode, "bridge");
  EXPECT_THAT(spec.dns, IsEmpty());
  EXPECT_TRUE(engine::check(spec));
}

TEST(HardeningTest, TheNetworkThatLeadsOutsideIsItsHoldersWithNameAndResolvers) {
  Placement placement{.user_id = 40'007, .init_volume = "v", .network = "container:abc"};
  auto spec = hardened_container({.network = Network::outbound}, hostile_image(), placement);
  EXPECT_EQ(spec.network_mode, "container:abc");
  EXPECT_THAT(spec.dns, IsEmpty());
  EXPECT_FALSE(spec.hostname);
  EXPECT_THAT(spec.cap_add, IsEmpty());
  EXPECT_TRUE(engine::check(spec));
}

TEST(HardeningTest, AHolderMaySetUpItsNetworkAndNothingElse) {
  Placement placement{.owner = "server1", .label = "holder1", .init_volume = "v", .network = "br"};
  auto spec =
      holder_container(hostile_image(), placement, {.dns = {"9.9.9.9"}, .blocked = {"10.0.0.0/8"}});
  EXPECT_THAT(spec.cap_drop, ElementsAre("ALL"));
  EXPECT_THAT(spec.cap_add, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(spec.security_opt, ElementsAre("no-new-privileges:true"));
  EXPECT_THAT(*spec.entrypoint, ElementsAre("/.gantry/gantry-holder", "hold", "10.0.0.0/8"));
  EXPECT_THAT(spec.env, ElementsAre("LD_PRELOAD", "GCONV_PATH", "HOME", "PATH"));
  EXPECT_TRUE(spec.read_only_root);
  EXPECT_EQ(spec.network_mode, "br");
  EXPECT_THAT(spec.dns, ElementsAre("9.9.9.9"));
  EXPECT_EQ(spec.labels["io.gantry.kind"], "network");
  EXPECT_EQ(spec.labels["io.gantry.owner"], "server1");
  EXPECT_TRUE(engine::check(spec));
}

TEST(HardeningTest, ASurveyLooksAtTheHostsNetworkWithoutAnyCapability) {
  auto spec = survey_container(hostile_image(), {.init_volume = "v"});
  EXPECT_EQ(spec.network_mode, "host");
  EXPECT_THAT(spec.cap_drop, ElementsAre("ALL"));
  EXPECT_THAT(spec.cap_add, IsEmpty());
  EXPECT_THAT(*spec.entrypoint, ElementsAre("/.gantry/gantry-holder", "survey"));
  EXPECT_TRUE(engine::check(spec));
}

TEST(HardeningTest, AnotherRuntimeIsNamedAndTheUsualOneIsTheEngines) {
  EXPECT_EQ(hardened({.runtime = Runtime::runsc}).runtime, "runsc");
  EXPECT_EQ(hardened().runtime, std::nullopt);
}

TEST(HardeningTest, OurOwnClientWouldSendIt) { EXPECT_TRUE(engine::check(hardened())); }

}  // namespace
}  // namespace gantry::sandbox
