#include "integration/real_engine.hpp"

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::UnorderedElementsAre;

/// Everything a sandbox asks for.
class EngineCompare : public RealEngine {
 protected:
  ContainerSpec hardened() const {
    auto spec = shell("true");
    spec.user = "61000:61000";
    spec.env = {"PATH=/bin", "HOME=/box"};
    spec.working_dir = "/";
    spec.hostname = "sandbox";
    spec.healthcheck = Healthcheck::none;
    spec.stop_signal = "SIGKILL";
    spec.stop_timeout_seconds = 0;
    spec.memory_bytes = spec.memory_swap_bytes = 64 << 20;
    spec.memory_swappiness = 0;
    spec.nano_cpus = 1'000'000'000;
    spec.pids_limit = 64;
    spec.ulimits = {{"nofile", 256, 256}, {"core", 0, 0}, {"msgqueue", 0, 0}};
    spec.cap_drop = {"ALL"};
    spec.security_opt = {"no-new-privileges:true",
                         R"(seccomp={ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ ] })"};
    spec.read_only_root = true;
    spec.tmpfs = {{"/box", "rw,exec,nosuid,nodev,size=16777216,nr_inodes=4096,mode=0700"},
                  {"/dev/shm", "ro,size=4096"}};
    spec.mounts = {{.volume = volume_, .target = "/tmp", .read_only = true, .no_copy = true}};
    spec.network_mode = "none";
    spec.dns = {"127.0.0.1"};
    spec.ipc_mode = "private";
    spec.cgroupns_mode = "private";
    spec.oom_score_adj = 500;
    spec.log_driver = "none";
    spec.init = false;
    spec.runtime = "runc";
    return spec;
  }
  void SetUp() override {
    RealEngine::SetUp();
    if (usable()) must(create_volume(engine(), volume_, labels()));
  }
  std::vector<Difference> differences(const ContainerSpec& wanted, const ContainerSpec& made) {
    return compare(wanted, must(inspect_container(engine(), create(made))));
  }

  std::string volume_ = fresh_name();
};

TEST_F(EngineCompare, AnHonestEngineMakesWhatWasAskedFor) {
  auto spec = hardened();
  EXPECT_EQ(describe(differences(spec, spec)), "");
}

TEST_F(EngineCompare, AnImageIdIsKept) {
  auto spec = hardened();
  spec.image = must(inspect_image(engine(), image)).id;
  EXPECT_EQ(describe(differences(spec, spec)), "");
}

TEST_F(EngineCompare, WhatWasLeftToTheEngineIsNoDifference) {
  auto spec = sleeper();
  spec.env = {"PATH=/bin"};
  EXPECT_EQ(describe(differences(spec, spec)), "");
}

TEST_F(EngineCompare, EverySettingThatIsTamperedWithIsSeen) {
  using Tamper = void (*)(ContainerSpec&);
  const std::pair<const char*, Tamper> tamperings[] = {
      {"user", [](ContainerSpec& s) { s.user = "0"; }},
      {"env", [](ContainerSpec& s) { s.env.emplace_back("LD_PRELOAD=/evil.so"); }},
      {"entrypoint", [](ContainerSpec& s) { s.entrypoint = {"true"}; }},
      {"cmd", [](ContainerSpec& s) { s.cmd = {"more"}; }},
      {"working_dir", [](ContainerSpec& s) { s.working_dir = "/bin"; }},
      {"tty", [](ContainerSpec& s) { s.tty = true; }},
      {"healthcheck", [](ContainerSpec& s) { s.healthcheck = Healthcheck::from_image; }},
      {"memory_bytes", [](ContainerSpec& s) { s.memory_bytes = 32 << 20; }},
      {"memory_swap_bytes", [](ContainerSpec& s) { s.memory_swap_bytes = 65 << 20; }},
      {"nano_cpus", [](ContainerSpec& s) { s.nano_cpus = 2'000'000'000; }},
      {"pids_limit", [](ContainerSpec& s) { s.pids_limit = 0; }},
      {"ulimits", [](ContainerSpec& s) { s.ulimits.pop_back(); }},
      {"cap_drop", [](ContainerSpec& s) { s.cap_drop = {"NET_RAW"}; }},
      {"cap_add", [](ContainerSpec& s) { s.cap_add = {"SYS_ADMIN"}; }},
      {"security_opt", [](ContainerSpec& s) { s.security_opt.pop_back(); }},
      {"read_only_root", [](ContainerSpec& s) { s.read_only_root = false; }},
      {"tmpfs", [](ContainerSpec& s) { s.tmpfs["/box"] = "rw,exec"; }},
      {"mounts", [](ContainerSpec& s) { s.mounts[0].read_only = false; }},
      {"network_mode", [](ContainerSpec& s) { s.network_mode = "bridge"; }},
      {"dns", [](ContainerSpec& s) { s.dns = {"8.8.8.8"}; }},
      {"ipc_mode", [](ContainerSpec& s) { s.ipc_mode = "shareable"; }},
      {"cgroupns_mode", [](ContainerSpec& s) { s.cgroupns_mode.reset(); }},
      {"oom_score_adj", [](ContainerSpec& s) { s.oom_score_adj = 0; }},
      {"log_driver", [](ContainerSpec& s) { s.log_driver = "json-file"; }},
      {"init", [](ContainerSpec& s) { s.init = true; }},
      {"auto_remove", [](ContainerSpec& s) { s.auto_remove = true; }},
  };
  for (const auto& [field, tamper] : tamperings) {
    auto made = hardened();
    tamper(made);
    EXPECT_THAT(differences(hardened(), made), Contains(Field(&Difference::field, field))) << field;
  }
}

TEST_F(EngineCompare, ALabelThatWasNotSetIsSeen) {
  auto wanted = hardened();
  wanted.labels["io.gantry.owner"] = "me";
  EXPECT_THAT(differences(wanted, hardened()),
              ElementsAre(Field(&Difference::field, "labels[io.gantry.owner]")));
}

/// An image whose own configuration reaches for more than the request gives.
class EngineCompareHostileImage : public EngineCompare {
 protected:
  void SetUp() override {
    EngineCompare::SetUp();
    if (!usable()) return;
    auto reference = value_or_throw(ImageReference::parse("gantry-engine-test/" + volume_));
    tar_ = std::string(1024, '\0');
    image_ = must(import_image(engine(), reference, source_of(tar_),
                               {"ENV LD_PRELOAD=/evil.so", "VOLUME /data", "HEALTHCHECK CMD evil",
                                "USER 0", "LABEL io.gantry.test=evil"}));
  }
  void TearDown() override {
    EngineCompare::TearDown();
    if (usable()) EXPECT_TRUE(run(remove_image(engine(), image_, RemoveImage::force)));
  }
  ContainerSpec hardened() const {
    auto spec = EngineCompare::hardened();
    spec.image = image_;
    return spec;
  }

  std::string tar_;
  std::string image_;
};

TEST_F(EngineCompareHostileImage, WhatTheImageAddsIsSeen) {
  EXPECT_THAT(
      differences(hardened(), hardened()),
      UnorderedElementsAre(Field(&Difference::field, "env"), Field(&Difference::field, "mounts")));
}

TEST_F(EngineCompareHostileImage, WhatTheRequestTakesAwayIsGone) {
  auto details = must(inspect_image(engine(), image_));
  EXPECT_THAT(details.volumes, ElementsAre("/data"));
  EXPECT_THAT(details.env, ElementsAre("LD_PRELOAD=/evil.so"));
  auto spec = hardened();
  spec.env.emplace_back("LD_PRELOAD");
  spec.tmpfs["/data"] = "ro,size=4096";
  EXPECT_EQ(describe(differences(spec, spec)), "");
}

}  // namespace
}  // namespace gantry::engine
