#pragma once

#include "doctor/checks.hpp"
#include "doctor/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What tests of judges begin with.
namespace gantry::doctor {

inline constexpr Id ann = 1000;
inline constexpr Id docker_gid = 998;

/// A machine on which everything is as it should be.
inline Facts healthy_facts() {
  Facts facts;
  facts.at = WallTime{Seconds{1'795'000'000}};  // 2026-11-18
  facts.machine = "nas";
  facts.subject = {.what = "this process",
                   .user = "ann",
                   .uid = ann,
                   .account_groups = {ann, docker_gid},
                   .process_groups = std::vector<Id>{ann, docker_gid},
                   .pid = 812};
  facts.endpoint.source = "the default";
  facts.endpoint.text = "unix:///var/run/docker.sock";
  facts.socket = SocketFile{.path = "/var/run/docker.sock",
                            .kind = SocketFile::Kind::socket,
                            .uid = 0,
                            .gid = docker_gid,
                            .mode = 0660,
                            .owner = "root",
                            .group = "docker"};
  facts.docker_group = Group{"docker", docker_gid, {}};
  facts.socket_group = facts.docker_group;
  facts.engine_installed = true;
  facts.engine.version = "29.5.1";
  facts.engine.os = "Debian GNU/Linux 13";
  facts.engine.log_driver = "local";
  facts.engine.storage_driver = "overlay2";
  facts.engine.cgroup_version = "2";
  facts.engine.cgroup_driver = "systemd";
  facts.engine.data_root = "/var/lib/docker";
  facts.engine.security_options = {"name=seccomp,profile=builtin", "name=cgroupns"};
  facts.engine.components = {{"Engine", "29.5.1"}};
  facts.docker = {"/usr/bin/docker", "29.5.1"};
  facts.compose_v1 = {"/usr/bin/docker-compose", "1.29.2"};
  facts.compose_v2 = {"/usr/bin/docker", "2.40.0"};
  facts.buildx = {"/usr/bin/docker", "0.29.0"};
  facts.clock_synchronised = true;
  return facts;
}

/// What one check comes to.
inline Finding judged(std::string_view id, Facts facts) {
  return examine(std::move(facts)).finding(id);
}

/// All that it advises.
inline std::string advice(const Finding& finding) {
  std::string out;
  for (const auto& step : finding.remedy) out += step.what + "\n" + step.command + "\n";
  return out;
}

}  // namespace gantry::doctor
