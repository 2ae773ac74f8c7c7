// Which engine is meant, as Docker's own client chooses it; with real files and certificates.
#include "doctor/endpoint_choice.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "net/tls_certificates_fake.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TheChoice : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gantry-choice-" + random::word(12));
    fs::create_directories(folder_);
    environment_.docker_folder = folder_;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream{folder_ / name, std::ios::binary} << text;
  }
  void write_certificates(const fs::path& place) const {
    auto identity = authority_.issue();
    write(place / "ca.pem", authority_.certificate());
    write(place / "cert.pem", identity.certificates);
    write(place / "key.pem", identity.key.reveal());
  }
  void write_context(const std::string& name, const std::string& endpoint) const {
    write(fs::path{"contexts/meta"} / encoding::sha256_hex(name) / "meta.json",
          fmt::format(R"({{"Name":"{}","Endpoints":{{"docker":{}}}}})", name, endpoint));
  }
  Choice choose(std::string endpoint = {}) const {
    return choose_endpoint({.endpoint = std::move(endpoint)}, environment_);
  }

  fs::path folder_;
  Environment environment_;
  net::TestAuthority authority_;
};

TEST_F(TheChoice, IsTheUsualSocketWhereNothingIsSaid) {
  auto choice = choose();
  EXPECT_EQ(choice.facts.text, "unix:///var/run/docker.sock");
  EXPECT_EQ(choice.facts.source, "the default");
  EXPECT_FALSE(choice.facts.tls);
}

TEST_F(TheChoice, IsTcpWithoutAScheme) {
  struct Case {
    const char* said;
    const char* meant;
  };
  for (const auto& [said, meant] :
       {Case{"127.0.0.1:2375", "tcp://127.0.0.1:2375"}, Case{" nas ", "tcp://nas"},
        Case{":2375", "tcp://localhost:2375"}, Case{"  ", "unix:///var/run/docker.sock"}}) {
    environment_.docker_host = said;
    auto choice = choose();
    EXPECT_EQ(choice.facts.text, meant);
    EXPECT_EQ(choice.facts.source, "DOCKER_HOST");
    EXPECT_FALSE(choice.facts.wrong) << choice.facts.wrong->message;
  }
}

TEST_F(TheChoice, SpeaksTlsWithTheVariablesOfDocker) {
  write_certificates("certificates");
  environment_.docker_host = "tcp://db1.lan:2376";
  environment_.docker_tls_verify = "1";
  environment_.docker_cert_path = folder_ / "certificates";
  auto choice = choose();
  EXPECT_EQ(choice.facts.text, "tls://db1.lan:2376");
  EXPECT_FALSE(choice.facts.wrong);
  ASSERT_TRUE(choice.facts.tls);
  EXPECT_FALSE(choice.facts.tls->wrong) << choice.facts.tls->wrong->message;
  EXPECT_TRUE(choice.facts.tls->verified);
  EXPECT_EQ(choice.facts.tls->certificates.size(), 2U);
  EXPECT_TRUE(choice.facts.tls->certificates.front().end);
  EXPECT_TRUE(choice.tls);
}

TEST_F(TheChoice, LooksInDockersFolderWithoutAPath) {
  write_certificates(".");
  environment_.docker_host = "tcp://db1.lan:2376";
  environment_.docker_tls_verify = "1";
  EXPECT_TRUE(choose().tls);
}

TEST_F(TheChoice, LeavesTcpInClearWithoutThem) {
  environment_.docker_host = "tcp://db1.lan:2375";
  auto choice = choose();
  EXPECT_EQ(choice.facts.text, "tcp://db1.lan:2375");
  EXPECT_FALSE(choice.facts.tls);
}

TEST_F(TheChoice, TellsCertificatesThatAreNotThere) {
  environment_.docker_host = "tcp://db1.lan";
  environment_.docker_tls_verify = "1";
  auto choice = choose();
  ASSERT_TRUE(choice.facts.tls->wrong);
  EXPECT_THAT(choice.facts.tls->wrong->message, HasSubstr("ca.pem"));
  EXPECT_FALSE(choice.tls);
}

TEST_F(TheChoice, TellsAKeyThatIsNone) {
  write_certificates(".");
  write("key.pem", "no key");
  environment_.docker_host = "tcp://db1.lan";
  environment_.docker_tls_verify = "1";
  EXPECT_EQ(choose().facts.tls->wrong->code, "bad_key");
}

TEST_F(TheChoice, KnowsAClientThatChecksNobody) {
  environment_.docker_host = "tcp://db1.lan:2376";
  environment_.docker_tls = "1";
  auto choice = choose();
  EXPECT_EQ(choice.facts.text, "tls://db1.lan:2376");
  EXPECT_FALSE(choice.facts.tls->verified);
}

TEST_F(TheChoice, TakesTheCertificatesOfAContext) {
  write_context("db1", R"({"Host":"tcp://db1.lan:2376","SkipTLSVerify":false})");
  write_certificates(fs::path{"contexts/tls"} / encoding::sha256_hex("db1") / "docker");
  write("config.json", R"({"currentContext":"db1"})");
  auto choice = choose();
  EXPECT_EQ(choice.facts.source, "context 'db1'");
  EXPECT_EQ(choice.facts.text, "tls://db1.lan:2376");
  EXPECT_EQ(choice.facts.tls->certificates.size(), 2U);
  EXPECT_TRUE(choice.tls);
}

TEST_F(TheChoice, TellsAContextThatChecksNobodyAndChecksItself) {
  write_context("db1", R"({"Host":"tcp://db1.lan:2376","SkipTLSVerify":true})");
  environment_.docker_context = "db1";
  auto choice = choose();
  EXPECT_FALSE(choice.facts.wrong);
  EXPECT_EQ(choice.facts.text, "tls://db1.lan:2376");
  EXPECT_FALSE(choice.facts.tls->verified);
}

TEST_F(TheChoice, NamesAContextThatIsNotThere) {
  environment_.docker_context = "gone";
  EXPECT_THAT(choose().facts.wrong->message, HasSubstr("gone"));
}

TEST_F(TheChoice, LetsTheVariableOverruleTheContext) {
  write_context("db1", R"({"Host":"tcp://db1.lan:2376"})");
  write("config.json", R"({"currentContext":"db1"})");
  environment_.docker_host = "unix:///run/other.sock";
  auto choice = choose();
  EXPECT_EQ(choice.facts.source, "DOCKER_HOST");
  EXPECT_EQ(choice.facts.context, "db1");
}

TEST_F(TheChoice, TakesTheEndpointThatIsNamedOverAll) {
  environment_.docker_host = "unix:///run/other.sock";
  EXPECT_EQ(choose("unix:///run/named.sock").facts.source, "--engine");
  auto by_system = choose("tls://db1.lan");
  EXPECT_FALSE(by_system.facts.tls->wrong);
  EXPECT_EQ(by_system.facts.tls->from, "");
}

TEST_F(TheChoice, RefusesWhatIsNoEndpoint) {
  environment_.docker_host = "http://db1.lan";
  EXPECT_TRUE(choose().facts.wrong);
}

TEST_F(TheChoice, GoesWithoutFilesWhereTheyDoNotAnswer) {
  environment_.docker_folder = "/nowhere";
  auto choice = choose_without_files({}, environment_);
  EXPECT_EQ(choice.facts.source, "the default");
  environment_.docker_host = "tcp://db1.lan";
  EXPECT_EQ(choose_without_files({}, environment_).facts.text, "tcp://db1.lan");
}

}  // namespace
}  // namespace gantry::doctor
