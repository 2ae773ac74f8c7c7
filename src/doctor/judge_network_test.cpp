// What goes over networks, and what --deep tells.
#include "doctor/healthy_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto day = std::chrono::days{1};

Facts over_tls(std::chrono::days left) {
  auto facts = healthy_facts();
  facts.socket.reset();
  facts.endpoint.text = "tls://db1.lan:2376";
  facts.endpoint.tls =
      TlsFacts{.from = "/home/ann/.docker",
               .certificates = {{"ca.pem", facts.at + 900 * day}, {"cert.pem", facts.at + left}}};
  return facts;
}

TEST(Tls, IsJudgedByWhenItsCertificatesEnd) {
  EXPECT_EQ(judged("tls", healthy_facts()).state, State::skipped);
  EXPECT_EQ(judged("tls", over_tls(400 * day)).state, State::ok);
  auto soon = judged("tls", over_tls(3 * day));
  EXPECT_EQ(soon.state, State::warning);
  EXPECT_THAT(soon.summary, HasSubstr("cert.pem ends on 2026-11-21"));
  EXPECT_FALSE(soon.remedy.empty());
  auto ended = judged("tls", over_tls(-1 * day));
  EXPECT_EQ(ended.state, State::failed);
  EXPECT_THAT(ended.summary, HasSubstr("cert.pem ended on 2026-11-17"));
}

TEST(Tls, FailsWhereItsFilesCanNotBeUsed) {
  auto facts = over_tls(400 * day);
  facts.endpoint.tls->wrong = Error{ErrorKind::invalid, "bad_key", "cannot use the key", "mend it"};
  auto finding = judged("tls", facts);
  EXPECT_EQ(finding.state, State::failed);
  EXPECT_THAT(advice(finding), HasSubstr("ls -l /home/ann/.docker"));
  facts.endpoint.context = "db1";
  facts.endpoint.source = facts.endpoint.tls->from = "context 'db1'";
  EXPECT_THAT(advice(judged("tls", facts)), HasSubstr("docker context inspect db1"));
}

TEST(Tls, WarnsOfAClientThatChecksNobody) {
  auto facts = over_tls(400 * day);
  facts.endpoint.tls->verified = false;
  auto finding = judged("tls", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("does not check who answers"));
  EXPECT_THAT(advice(finding), HasSubstr("export DOCKER_TLS_VERIFY=1"));
  facts.endpoint.context = "db1";
  EXPECT_THAT(advice(judged("tls", facts)), HasSubstr("docker context update db1"));
}

TEST(Exposed, CountsWhatAnybodyCanReach) {
  auto facts = healthy_facts();
  EXPECT_EQ(judged("exposed", facts).state, State::ok);
  facts.endpoint.text = "tcp://127.0.0.1:2375";
  auto local = judged("exposed", facts);
  EXPECT_EQ(local.state, State::failed);
  EXPECT_THAT(local.summary, HasSubstr("every program and user of this machine"));
  facts.endpoint.text = "tcp://db1.lan:2375";
  EXPECT_EQ(judged("exposed", facts).state, State::failed);
  facts = over_tls(400 * day);
  EXPECT_EQ(judged("exposed", facts).state, State::ok);
}

TEST(Exposed, BelievesTheEngineThatItsPortIsOpen) {
  auto facts = healthy_facts();
  facts.engine.warnings = {"WARNING: API is accessible on http://0.0.0.0:2375 without encryption."};
  auto finding = judged("exposed", facts);
  EXPECT_EQ(finding.state, State::failed);
  EXPECT_THAT(finding.summary, HasSubstr("as the engine says"));
}

TEST(DeepRows, AreUnseenUnlessAskedFor) {
  for (const auto* id : {"names", "registry", "sandbox"}) {
    auto finding = judged(id, healthy_facts());
    EXPECT_EQ(finding.state, State::unseen) << id;
    EXPECT_THAT(finding.summary, HasSubstr("--deep")) << id;
  }
}

Facts deep_facts() {
  auto facts = healthy_facts();
  facts.deep = DeepFacts{.names = {{.host = "auth.docker.io", .addresses = {"192.0.2.1"}}},
                         .registries = {{.address = "registry-1.docker.io", .status = 401}},
                         .canary = Canary{.image = "gantry/sh:latest",
                                          .held = {"seccomp", "the limit of memory"},
                                          .languages = {"bash", "sh"}}};
  return facts;
}

Error unknown_name() { return {ErrorKind::unavailable, "name_unknown", "nobody knows it", {}}; }

TEST(Names, AreAWarningUnlessAProxyLooksThemUp) {
  auto facts = deep_facts();
  EXPECT_EQ(judged("names", facts).state, State::ok);
  facts.deep->names.push_back({.host = "registry-1.docker.io", .error = unknown_name()});
  auto finding = judged("names", facts);
  EXPECT_EQ(finding.state, State::warning);
  EXPECT_THAT(finding.summary, HasSubstr("nobody here knows registry-1.docker.io"));
  EXPECT_THAT(advice(finding), HasSubstr("getent hosts registry-1.docker.io"));
  auto odd = facts;
  odd.deep->names.back().host = "a;reboot";
  EXPECT_THAT(advice(judged("names", odd)), HasSubstr("getent hosts 'a;reboot'"));
  facts.engine.proxy = "http://proxy.lan:3128";
  EXPECT_EQ(judged("names", facts).state, State::note);
}

TEST(Registry, TellsEachOfThem) {
  auto facts = deep_facts();
  EXPECT_EQ(judged("registry", facts).state, State::ok);
  auto& all = facts.deep->registries;
  all.push_back({.role = RegistryFacts::Role::insecure, .address = "a.lan:5000", .in_clear = true});
  all.push_back({.address = "b.lan:5000", .unknown_certificate = true});
  auto finding = judged("registry", facts);
  EXPECT_EQ(finding.state, State::note);
  EXPECT_THAT(finding.summary, HasSubstr("a.lan:5000 answers, unencrypted"));
  EXPECT_THAT(finding.summary, HasSubstr("certificate is nobody's"));
  all.push_back({.address = "mirror.lan", .error = unknown_name()});
  EXPECT_EQ(judged("registry", facts).state, State::warning);
  EXPECT_THAT(advice(judged("registry", facts)), HasSubstr("gantry images make"));
}

TEST(Registry, DoesNotGuessWhatAProxyReaches) {
  auto facts = deep_facts();
  facts.engine.proxy = "http://proxy.lan:3128";
  facts.deep->registries.front().error = unknown_name();
  auto finding = judged("registry", facts);
  EXPECT_EQ(finding.state, State::note);
  EXPECT_THAT(finding.summary, HasSubstr("by the proxy http://proxy.lan:3128"));
}

TEST(Sandbox, FailsWhereSomethingDidNotHold) {
  auto facts = deep_facts();
  EXPECT_EQ(judged("sandbox", facts).state, State::ok);
  (*facts.deep->canary)->image_names = {"go", "rust"};
  auto missing = judged("sandbox", facts);
  EXPECT_EQ(missing.state, State::note);
  EXPECT_THAT(advice(missing), HasSubstr("gantry images make go rust"));
  (*facts.deep->canary)->open = {"seccomp (seccomp: 0)"};
  auto open = judged("sandbox", facts);
  EXPECT_EQ(open.state, State::failed);
  EXPECT_THAT(open.summary, HasSubstr("was not held: seccomp (seccomp: 0)"));
}

TEST(Sandbox, TellsAMissingImageFromAnEngineThatRunsNothing) {
  auto facts = deep_facts();
  facts.deep->canary = fail(ErrorKind::not_found, "no_canary_image", "no image", "make one");
  EXPECT_EQ(judged("sandbox", facts).state, State::warning);
  EXPECT_THAT(advice(judged("sandbox", facts)), HasSubstr("gantry images make sh"));
  facts.deep->canary = fail(ErrorKind::unavailable, "engine_failed", "no runtime", {});
  EXPECT_EQ(judged("sandbox", facts).state, State::failed);
  EXPECT_THAT(advice(judged("sandbox", facts)), Not(HasSubstr("images make")));
  facts.deep->canary.reset();
  EXPECT_EQ(judged("sandbox", facts).state, State::unseen);
}

}  // namespace
}  // namespace gantry::doctor
