#include "main/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::main {
namespace {

using testing::HasSubstr;
using Consent = cli::DoctorCommand::Consent;

class DoctorOptions : public testing::Test {
 protected:
  Result<Invocation> read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "doctor");
    Surroundings world{variables_, [this](const auto& path) { return path == there_; },
                       [](const auto&) { return false; },
                       [](const auto&) -> Result<std::string> { return fail(Error{}); }};
    return read_options(std::move(arguments), world);
  }
  cli::DoctorCommand command(std::vector<std::string> arguments) {
    return std::get<cli::DoctorCommand>(value_or_throw(read(std::move(arguments))).command);
  }
  std::string refusal(std::vector<std::string> arguments) {
    return read(std::move(arguments)).error().message;
  }

  std::map<std::string, std::string, std::less<>> variables_{{"HOME", "/home/ann"},
                                                             {"PATH", "/usr/bin"}};
  std::filesystem::path there_;
};

TEST_F(DoctorOptions, ChangeNothingUnlessAsked) {
  EXPECT_EQ(command({}).consent, Consent::none);
  EXPECT_EQ(command({"--fix"}).consent, Consent::asked);
  EXPECT_EQ(command({"--fix", "--yes"}).consent, Consent::given);
  EXPECT_EQ(command({"--fix", "--dry-run", "--yes"}).consent, Consent::dry_run);
}

TEST_F(DoctorOptions, TakeWhatDockerWouldTake) {
  variables_["DOCKER_HOST"] = "unix:///run/alt.sock";
  variables_["XDG_RUNTIME_DIR"] = "/run/user/1000";
  auto environment = command({}).environment;
  EXPECT_EQ(environment.docker_host, "unix:///run/alt.sock");
  EXPECT_EQ(environment.docker_folder, "/home/ann/.docker");
  EXPECT_EQ(environment.runtime_folder, "/run/user/1000");
}

TEST_F(DoctorOptions, TakeTheCertificatesThatDockerWouldTake) {
  variables_["DOCKER_TLS_VERIFY"] = "1";
  variables_["DOCKER_CERT_PATH"] = "/home/ann/certificates";
  auto environment = command({}).environment;
  EXPECT_EQ(environment.docker_tls_verify, "1");
  EXPECT_EQ(environment.docker_cert_path, "/home/ann/certificates");
}

TEST_F(DoctorOptions, ReachOutOnlyWhenAsked) {
  EXPECT_FALSE(command({}).question.deep);
  EXPECT_TRUE(command({"--deep"}).question.deep);
  EXPECT_TRUE(command({"--deep"}).environment.run_canary);
}

TEST_F(DoctorOptions, MendForWhoeverRanSudo) {
  variables_["SUDO_USER"] = "ann";
  EXPECT_EQ(command({"--fix"}).question.user, "ann");
  EXPECT_EQ(command({}).question.user, "");
  EXPECT_EQ(command({"--fix", "--service", "agent"}).question.user, "");
}

TEST_F(DoctorOptions, WriteTheEnvFileOnlyWhereComposeIsUsed) {
  EXPECT_EQ(command({"--fix"}).fix.env_file, "");
  there_ = "compose.yaml";
  EXPECT_EQ(command({"--fix"}).fix.env_file, ".env");
  EXPECT_EQ(command({"--fix", "--env-file", "prod.env"}).fix.env_file, "prod.env");
}

TEST_F(DoctorOptions, RefuseWhatCanNotBe) {
  EXPECT_THAT(refusal({"--pid", "x"}), HasSubstr("--pid is not a number from 1 on: 'x'"));
  EXPECT_THAT(refusal({"--fix", "--gid", "0"}), HasSubstr("--gid is not a number from 1 on: '0'"));
  EXPECT_THAT(refusal({"--fix", "--gid", "-5"}), HasSubstr("--gid"));
  EXPECT_THAT(refusal({"--fix", "--gid", "4294967295"}), HasSubstr("--gid"));
  EXPECT_THAT(refusal({"--pid", "1", "--user", "ann"}), HasSubstr("exclude each other"));
  EXPECT_THAT(refusal({"--gid", "998"}), HasSubstr("go with --fix"));
}

TEST_F(DoctorOptions, DoNotNeedAConfigurationThatCanBeRead) {
  variables_["GANTRY_CONFIG"] = "/nowhere/gantry.toml";
  variables_["GANTRY_QUEUE_MAX"] = "no number";
  EXPECT_TRUE(read({}).has_value());
}

}  // namespace
}  // namespace gantry::main
