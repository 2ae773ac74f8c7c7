#include "engine/containers.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class EngineContainers : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineContainers, AListAsksForItsLabels) {
  daemon_.expect("GET", "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D")
      .reply(200, json::serialize(json::Array{FakeDaemon::container("ab", "web", "running")}));
  auto listed = value_or_throw(run(list_containers(*client_, ListScope::all, {"a=b"})));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, FakeDaemon::id("ab"));
  EXPECT_THAT(listed[0].names, ElementsAre("web"));
  EXPECT_EQ(rfc3339(listed[0].created), "2026-09-21T14:13:20.000Z");
}

TEST_F(EngineContainers, AListWithAnIdThatIsNoneIsMalformed) {
  auto container = FakeDaemon::container("ab", "web", "running");
  container["Id"] = "../../x";
  daemon_.expect("GET", "/containers/json").reply(200, json::serialize(json::Array{container}));
  auto listed = run(list_containers(*client_, ListScope::running));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, "engine_answer_malformed");
}

TEST_F(EngineContainers, ALookUpIsNotFooledByAPrefix) {
  daemon_.expect("GET", "/containers/json")
      .reply(200, json::serialize(json::Array{FakeDaemon::container("abcdef", "a", "running")}));
  auto found = run(list_container(*client_, "abcdef000000"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::not_found);
}

TEST_F(EngineContainers, CreateSendsExactlyWhatTheSpecSays) {
  daemon_.expect("POST", "/containers/create?name=box")
      .reply(201, R"({"Id":")" + FakeDaemon::id("ab") + R"(","Warnings":["swap"]})");
  ContainerSpec spec;
  spec.image = "sha256:1";
  spec.user = "61000:61000";
  spec.entrypoint = {"/init"};
  spec.healthcheck = Healthcheck::none;
  spec.memory_bytes = 1024;
  spec.mounts = {{.volume = "v", .target = "/gantry", .read_only = true, .no_copy = true}};
  auto created = value_or_throw(run(create_container(*client_, "box", spec)));
  EXPECT_EQ(created.id, FakeDaemon::id("ab"));
  EXPECT_THAT(created.warnings, ElementsAre("swap"));
  EXPECT_EQ(daemon_.last_body(),
            R"({"Image":"sha256:1","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,)"
            R"("OpenStdin":false,"StdinOnce":false,"Tty":false,"User":"61000:61000",)"
            R"("Entrypoint":["/init"],"Healthcheck":{"Test":["NONE"]},"HostConfig":{)"
            R"("Privileged":false,"PublishAllPorts":false,"AutoRemove":false,)"
            R"("ReadonlyRootfs":false,"RestartPolicy":{"Name":"no"},"Memory":1024,"Mounts":[{)"
            R"("Type":"volume","Source":"v","Target":"/gantry","ReadOnly":true,)"
            R"("VolumeOptions":{"NoCopy":true}}]}})");
}

TEST_F(EngineContainers, WhatReachesOutOfAContainerCanNotBeAskedFor) {
  ContainerSpec spec;
  spec.image = "x";
  auto refused = [&](auto change) {
    auto changed = spec;
    change(changed);
    auto created = run(create_container(*client_, "", changed));
    return created ? "" : created.error().code;
  };
  EXPECT_EQ(refused([](auto& s) { s.network_mode = "host"; }), "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) {
              s.network_mode = "none";
              s.pid_mode = "host";
            }),
            "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.pid_mode = "container:" + std::string(64, 'a'); }),
            "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) {
              s.network_mode = "host";
              s.host_network = HostNetwork::read_only;
              s.cap_drop = {"ALL"};
              s.cap_add = {"NET_ADMIN"};
            }),
            "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.ipc_mode = "host"; }), "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.ipc_mode = "container:x"; }), "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.cgroupns_mode = "host"; }), "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.mounts = {{.volume = "/etc", .target = "/x"}}; }),
            "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.mounts = {{.volume = "v", .target = "x"}}; }),
            "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.tmpfs = {{"../x", "rw"}}; }), "invalid_container_spec");
  EXPECT_EQ(refused([](auto& s) { s.working_dir = "proc/self/fd/7"; }), "invalid_container_spec");
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(EngineContainers, RemoveTakesWhatItIsTold) {
  daemon_.expect("DELETE", "/containers/x?force=1&v=1").reply(204);
  EXPECT_TRUE(run(remove_container(*client_, "x", {.force = true, .volumes = true})));
}

TEST_F(EngineContainers, StoppingWhatIsStoppedIsNoError) {
  daemon_.expect("POST", "/containers/x/stop?t=5").reply(304);
  EXPECT_TRUE(run(stop_container(*client_, "x", Seconds{5})));
}

TEST_F(EngineContainers, ASignalIsAWordOrANumber) {
  auto killed = run(kill_container(*client_, "x", "KILL&all=1"));
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().code, "invalid_signal");
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(EngineContainers, AnInspectionTellsWhatPeopleNeed) {
  daemon_.expect("GET", "/containers/web/json").reply(200, R"({
    "Id":"abababababab","Name":"/web","Created":"2026-11-22T09:00:00Z","Image":"sha256:1",
    "Path":"/entry","Args":["serve"],"RestartCount":3,"Platform":"linux","Driver":"overlay2",
    "State":{"Status":"running","Running":true,"Pid":42,"Health":{"Status":"unhealthy",
      "FailingStreak":2,"Log":[{"Start":"s","End":"e","ExitCode":1,"Output":"no answer"}]}},
    "Config":{"Image":"web:1","Env":["A=b"],"Cmd":["serve"],"Tty":true,"Labels":{"x":"y"},
      "Healthcheck":{"Test":["CMD","check"],"Interval":5000000000,"Retries":4}},
    "HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":7},"Memory":1024},
    "Mounts":[{"Type":"volume","Name":"data","Destination":"/data","RW":true}],
    "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"53/udp":null},
      "Networks":{"front":{"NetworkID":"n1","IPAddress":"10.0.0.2","Aliases":["web"]}}}})");
  auto seen = value_or_throw(run(inspect_container(*client_, "web")));
  EXPECT_EQ(seen.name, "web");
  EXPECT_THAT(seen.command, ElementsAre("/entry", "serve"));
  EXPECT_EQ(seen.restart_count, 3);
  EXPECT_EQ(seen.restart, (RestartPolicy{.name = "on-failure", .retries_max = 7}));
  EXPECT_EQ(seen.healthcheck.interval, Milliseconds{5'000});
  EXPECT_EQ(seen.healthcheck.retries, 4);
  EXPECT_EQ(seen.state.failing_streak, 2);
  ASSERT_EQ(seen.state.probes.size(), 1U);
  EXPECT_EQ(seen.state.probes[0].output, "no answer");
  ASSERT_EQ(seen.ports.size(), 2U);
  EXPECT_EQ(seen.ports[0].container_port, 80);
  EXPECT_EQ(seen.ports[0].host_port, 8080);
  EXPECT_EQ(seen.ports[1].protocol, "udp");
  EXPECT_FALSE(seen.ports[1].host_port);
  ASSERT_EQ(seen.networks.size(), 1U);
  EXPECT_EQ(seen.networks[0].name, "front");
  EXPECT_EQ(seen.networks[0].ip_address, "10.0.0.2");
}

TEST_F(EngineContainers, ItsProcessesAndChangedFilesAreListed) {
  daemon_.expect("GET", "/containers/web/top")
      .reply(200, R"({"Titles":["PID","CMD"],"Processes":[["1","sh"],["7","sleep 5"]]})");
  auto table = value_or_throw(run(container_top(*client_, "web")));
  EXPECT_THAT(table.titles, ElementsAre("PID", "CMD"));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[1], ElementsAre("7", "sleep 5"));

  daemon_.expect("GET", "/containers/web/changes")
      .reply(200,
             R"([{"Path":"/tmp","Kind":0},{"Path":"/tmp/x","Kind":1},{"Path":"/y","Kind":2}])");
  auto changes = value_or_throw(run(container_changes(*client_, "web")));
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[1].path, "/tmp/x");
  EXPECT_EQ(changes[1].kind, PathChange::Kind::added);
  EXPECT_EQ(changes[2].kind, PathChange::Kind::removed);
}

TEST_F(EngineContainers, AContainerWithoutChangesHasNone) {
  daemon_.expect("GET", "/containers/web/changes").reply(200, "null");
  EXPECT_THAT(value_or_throw(run(container_changes(*client_, "web"))), testing::IsEmpty());
}

TEST_F(EngineContainers, AnUpdateSendsOnlyWhatChanges) {
  daemon_.expect("POST", "/containers/web/update").reply(200, R"({"Warnings":null})");
  ResourceUpdate update;
  update.memory_bytes = 1024;
  update.restart = RestartPolicy{.name = "on-failure", .retries_max = 3};
  EXPECT_TRUE(run(update_container(*client_, "web", update)));
  EXPECT_EQ(daemon_.last_body(),
            R"({"Memory":1024,"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}})");
}

TEST(EngineStats, CpuIsCountedAsDockerCountsIt) {
  Stats stats;
  stats.cpu_total_ns = 3'000;
  stats.system_cpu_ns = 20'000;
  stats.online_cpus = 2;
  EXPECT_FALSE(stats.cpu_percent());
  stats.previous_cpu_total_ns = 1'000;
  stats.previous_system_cpu_ns = 10'000;
  EXPECT_DOUBLE_EQ(*stats.cpu_percent(), 40.0);
  // A restart sets the counters back.
  stats.cpu_total_ns = 500;
  EXPECT_DOUBLE_EQ(*stats.cpu_percent(), 0.0);
}

/// What an honest engine would answer to `spec`, as far as it matters here.
ContainerDetails details_of(const ContainerSpec& spec) {
  ContainerDetails details;
  details.settings = spec;
  details.unasked.restart_policy = "no";
  if (!spec.ipc_mode) details.settings.ipc_mode = "private";
  if (spec.healthcheck == Healthcheck::none) details.healthcheck_test = {"NONE"};
  return details;
}

TEST(Compare, SwapMayBeAbsentButNotLarger) {
  ContainerSpec spec;
  spec.memory_swap_bytes = 100;
  auto details = details_of(spec);
  details.settings.memory_swap_bytes = -1;
  EXPECT_EQ(describe(compare(spec, details)), "");
  details.settings.memory_swap_bytes = 200;
  EXPECT_EQ(describe(compare(spec, details)), "memory_swap_bytes is 200 instead of 100");
}

TEST(Compare, CapabilitiesMayBeSpelledTheOtherWay) {
  ContainerSpec spec;
  spec.cap_drop = {"NET_RAW", "CAP_CHOWN"};
  auto details = details_of(spec);
  details.settings.cap_drop = {"CAP_CHOWN", "cap_net_raw"};
  EXPECT_EQ(describe(compare(spec, details)), "");
}

TEST(Compare, ASeccompProfileMayBeReformattedButNotChanged) {
  ContainerSpec spec;
  spec.security_opt = {"no-new-privileges:true", R"(seccomp={ "defaultAction": "A" })"};
  auto details = details_of(spec);
  details.settings.security_opt = {R"(seccomp={"defaultAction":"A"})", "no-new-privileges:true"};
  EXPECT_EQ(describe(compare(spec, details)), "");
  details.settings.security_opt[0] = R"(seccomp={"defaultAction":"B"})";
  EXPECT_THAT(describe(compare(spec, details)), HasSubstr("security_opt"));
}

TEST(Compare, WhatNobodyCanAskForIsSeen) {
  ContainerSpec spec;
  auto details = details_of(spec);
  details.unasked.privileged = true;
  details.unasked.binds = {"/:/host"};
  details.unasked.devices = 1;
  details.unasked.pid_mode = "host";
  details.unasked.masked_paths = std::vector<std::string>{};
  details.mounts.push_back({.type = "volume", .name = "abc", .target = "/data", .writable = true});
  EXPECT_EQ(
      describe(compare(spec, details)),
      "mounts is volume 'abc' on /data, writable instead of none; privileged is true "
      "instead of false; binds is [/:/host] instead of []; devices is 1 of them instead of "
      "none; pid_mode is 'host' instead of ''; masked_paths is none instead of the engine's own");
}

}  // namespace
}  // namespace gantry::engine
