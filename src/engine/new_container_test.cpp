#include "engine/new_container.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

NewContainer plain() {
  NewContainer wanted;
  wanted.image = "web:1";
  return wanted;
}

TEST(EngineNewContainer, WhatIsSentIsWhatTheTypeSays) {
  async::TestLoop loop;
  FakeDaemon daemon;
  auto client = daemon.client(loop.executor());
  daemon.expect("POST", "/containers/create?name=web")
      .reply(201, R"({"Id":")" + FakeDaemon::id("ab") + R"(","Warnings":[]})");
  auto wanted = plain();
  wanted.command = {"serve"};
  wanted.ports = {{.container_port = 80, .host_port = 8080, .host_ip = "127.0.0.1"},
                  {.container_port = 80}};
  wanted.volumes = {{.volume = "data", .target = "/data", .read_only = false, .no_copy = false}};
  wanted.restart = {.name = "on-failure", .retries_max = 3};
  wanted.network = "front";
  wanted.network_aliases = {"web"};
  wanted.healthcheck = HealthcheckSettings{.test = {"CMD", "check"}, .interval = Milliseconds{500}};
  auto created = value_or_throw(loop.run(create_container(*client, "web", wanted)));
  EXPECT_EQ(created.id, FakeDaemon::id("ab"));
  EXPECT_EQ(
      daemon.last_body(),
      R"({"Image":"web:1","OpenStdin":false,"Tty":false,"HostConfig":{"Privileged":false,)"
      R"("PublishAllPorts":false,"ReadonlyRootfs":false,"RestartPolicy":{"Name":"on-failure",)"
      R"("MaximumRetryCount":3},"PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1",)"
      R"("HostPort":"8080"},{"HostIp":"","HostPort":""}]},"Mounts":[{"Type":"volume",)"
      R"("Source":"data","Target":"/data","ReadOnly":false,"VolumeOptions":{"NoCopy":false}}],)"
      R"("NetworkMode":"front"},"Cmd":["serve"],"Healthcheck":{"Test":["CMD","check"],)"
      R"("Interval":500000000},"ExposedPorts":{"80/tcp":{}},"NetworkingConfig":)"
      R"({"EndpointsConfig":{"front":{"Aliases":["web"]}}}})");
}

TEST(EngineNewContainer, AnEngineThatWidensTheRequestIsSeen) {
  auto wanted = plain();
  wanted.binds = {{.source = "/srv/x", .target = "/x", .read_only = true}};
  ContainerDetails honest;
  honest.settings.mounts = {{.volume = "bind:/srv/x", .target = "/x", .read_only = true}};
  honest.settings.network_mode = "default";
  honest.settings.ipc_mode = "private";
  EXPECT_THAT(wider_than_wanted(wanted, honest), IsEmpty());

  auto widened = [&](auto change) {
    auto details = honest;
    change(details);
    return wider_than_wanted(wanted, details).size();
  };
  EXPECT_EQ(widened([](auto& d) { d.unasked.privileged = true; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.unasked.pid_mode = "host"; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.unasked.userns_mode = "host"; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.network_mode = "host"; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.network_mode = "container:x"; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.ipc_mode = "host"; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.unasked.binds = {"/:/h"}; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.mounts[0].read_only = false; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.unasked.devices = 1; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.cap_add = {"SYS_ADMIN"}; }), 1U);
  EXPECT_EQ(widened([](auto& d) { d.settings.security_opt = {"seccomp=unconfined"}; }), 1U);
}

}  // namespace
}  // namespace gantry::engine
