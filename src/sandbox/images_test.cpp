#include "sandbox/images.hpp"

#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using engine::FakeDaemon;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* python = "/images/python%3A3.11-alpine/json";
constexpr const char* alias = "/images/gantry%2Fpython%3Alatest/json";
constexpr const char* refused =
    R"({"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"})"
    "\n";

std::string image(std::string_view id_begin) {
  return fmt::format(
      R"({{"Id":"sha256:{}","Config":{{"Env":["A=1"],"Volumes":{{"/data":{{}}}}}}}})",
      FakeDaemon::id(id_begin));
}

class ImagesTest : public testing::Test {
 protected:
  ImagesTest() { begin(); }
  void TearDown() override {
    loop_.run(images_->close());
    EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
  }
  /// Begins anew, with `settings_`.
  void begin() { images_.emplace(loop_.executor(), *client_, settings_); }
  Result<ServedImage> resolve(std::string reference = "python:3.11-alpine") {
    return loop_.run(images_->resolve(std::move(reference), logins_, note()));
  }
  OnProgress note() {
    return [this](std::string line) { progress_.push_back(std::move(line)); };
  }
  void absent(const char* target) {
    daemon_.expect("GET", target).reply(404, R"({"message":"No such image"})");
  }
  std::size_t pulls() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(daemon_.requests(), [](const std::string& request) {
          return request.starts_with("POST /v1.41/images/create");
        }));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<engine::Client> client_ = daemon_.client(loop_.executor());
  ImageSettings settings_{.memory = {.with_alias = Milliseconds{1'500},
                                     .without_alias = Milliseconds{1'500},
                                     .first_retry = Milliseconds{1}}};
  Logins logins_ = Logins::stored;
  std::optional<Images> images_;
  std::vector<std::string> progress_;
};

TEST_F(ImagesTest, WhatTheEngineHasIsServedWithoutAPull) {
  daemon_.expect("GET", python).reply(200, image("1"));
  auto served = resolve().value();
  EXPECT_EQ(served.name, "python:3.11-alpine");
  EXPECT_EQ(served.id, "sha256:" + FakeDaemon::id("1"));
  EXPECT_THAT(served.volumes, ElementsAre("/data"));
  EXPECT_THAT(served.env, ElementsAre("A=1"));
  EXPECT_EQ(pulls(), 0U);
}

TEST_F(ImagesTest, WhatItDoesNotHaveIsPulledAndTheProgressIsTold) {
  absent(python);
  daemon_.expect("POST", "/images/create")
      .stream(200, {"{\"status\":\"Downloading\",\"id\":\"abc\",\"progressDetail\":"
                    "{\"current\":5,\"total\":10}}\n"});
  daemon_.expect("GET", python).reply(200, image("1"));
  EXPECT_EQ(resolve()->name, "python:3.11-alpine");
  EXPECT_THAT(progress_, Contains("pulling python:3.11-alpine: Downloading abc 50%"));
}

TEST_F(ImagesTest, ARegistryThatStumblesGetsAnotherChance) {
  absent("/images/ruby%3A3/json");
  for (int i = 0; i < 2; ++i) {
    daemon_.expect("POST", "/images/create")
        .stream(200, {"{\"error\":\"Get https://r/v2/: dial tcp: i/o timeout\"}\n"});
  }
  daemon_.expect("POST", "/images/create").stream(200, {"{\"status\":\"Pull complete\"}\n"});
  daemon_.expect("GET", "/images/ruby%3A3/json").reply(200, image("1"));
  EXPECT_EQ(resolve("ruby:3")->name, "ruby:3");
  EXPECT_EQ(pulls(), 3U);
}

TEST_F(ImagesTest, WhatCodeAFailedPullHasTellsThatItWasThePull) {
  absent("/images/ruby%3A3/json");
  daemon_.expect("POST", "/images/create")
      .stream(200, {"{\"error\":\"layer is broken\"}\n"})
      .always();
  EXPECT_EQ(resolve("ruby:3").error().code, "image_pull_failed");
}

TEST_F(ImagesTest, ARegistryIsToldWhoWeAreAndNoOther) {
  settings_.find_login = [](const std::string& host) -> std::optional<engine::RegistryAuth> {
    if (host != "ghcr.io") return std::nullopt;
    return engine::RegistryAuth{"ann", Secret{"hunter2"}, host};
  };
  begin();
  for (const auto* path : {"/images/ghcr.io%2Fa%2Fb%3A1/json", "/images/ruby%3A3/json"}) {
    absent(path);
    daemon_.expect("POST", "/images/create").stream(200, {"{\"status\":\"done\"}\n"});
    daemon_.expect("GET", path).reply(200, image("1"));
  }
  EXPECT_TRUE(resolve("ghcr.io/a/b:1"));
  EXPECT_TRUE(resolve("ruby:3"));
  std::vector<bool> told;
  for (const auto& request : daemon_.server().seen()) {
    if (request.method == "POST") told.push_back(request.headers.has("X-Registry-Auth"));
  }
  EXPECT_THAT(told, ElementsAre(true, false));
}

TEST_F(ImagesTest, WhoIsNobodyHasNoLogin) {
  settings_.find_login = [](const std::string& host) -> std::optional<engine::RegistryAuth> {
    return engine::RegistryAuth{"ann", Secret{"hunter2"}, host};
  };
  begin();
  absent("/images/ghcr.io%2Fa%2Fb%3A1/json");
  daemon_.expect("POST", "/images/create").stream(200, {refused});
  logins_ = Logins::none;
  EXPECT_FALSE(resolve("ghcr.io/a/b:1"));
  for (const auto& request : daemon_.server().seen()) {
    EXPECT_FALSE(request.headers.has("X-Registry-Auth"));
  }
  // That the registry would not have strangers says nothing of who is known to it.
  absent("/images/ghcr.io%2Fa%2Fb%3A1/json");
  daemon_.expect("POST", "/images/create").stream(200, {"{\"status\":\"done\"}\n"});
  daemon_.expect("GET", "/images/ghcr.io%2Fa%2Fb%3A1/json").reply(200, image("1"));
  logins_ = Logins::stored;
  EXPECT_TRUE(resolve("ghcr.io/a/b:1"));
}

TEST_F(ImagesTest, ARegistryThatNobodyHereHasNamedIsNotAsked) {
  constexpr auto* metadata = "/images/169.254.169.254%3A80%2Fx%3Alatest/json";
  absent(metadata);
  EXPECT_EQ(resolve("169.254.169.254:80/x").error().code, "registry_not_allowed");
  EXPECT_EQ(pulls(), 0U);
  daemon_.expect("GET", metadata).reply(200, image("1"));
  EXPECT_TRUE(resolve("169.254.169.254:80/x"));
}

TEST_F(ImagesTest, ALoginMakesItsRegistryKnownToWhoMayUseIt) {
  settings_.find_login = [](const std::string& host) -> std::optional<engine::RegistryAuth> {
    if (host != "10.0.0.5:5000") return std::nullopt;
    return engine::RegistryAuth{"ann", Secret{"hunter2"}, host};
  };
  begin();
  constexpr auto* path = "/images/10.0.0.5%3A5000%2Fx%3Alatest/json";
  absent(path);
  logins_ = Logins::none;
  EXPECT_EQ(resolve("10.0.0.5:5000/x").error().code, "registry_not_allowed");
  absent(path);
  daemon_.expect("POST", "/images/create").stream(200, {"{\"status\":\"done\"}\n"});
  daemon_.expect("GET", path).reply(200, image("1"));
  logins_ = Logins::stored;
  EXPECT_TRUE(resolve("10.0.0.5:5000/x"));
}

TEST_F(ImagesTest, WhatTheRulesDoNotNameIsRefusedBeforeTheEngineIsAsked) {
  settings_.rules = value_or_throw(ImageRules::parse({"python:*"}));
  begin();
  EXPECT_EQ(resolve("ruby:3").error().code, "image_not_allowed");
  EXPECT_THAT(daemon_.requests(), IsEmpty());
}

TEST_F(ImagesTest, APinnedImageIsAskedForByItsContent) {
  const std::string digest = "sha256:" + FakeDaemon::id("c");
  settings_.rules = value_or_throw(ImageRules::parse({"python:3.11-alpine@" + digest}));
  begin();
  daemon_.expect("GET", "/images/python%40sha256%3A" + FakeDaemon::id("c") + "/json")
      .reply(200, image("1"));
  EXPECT_EQ(resolve()->name, "python@" + digest);
}

TEST_F(ImagesTest, TheAliasServesOnlyWhenThePullFails) {
  absent(python);
  daemon_.expect("POST", "/images/create").stream(200, {refused});
  daemon_.expect("GET", alias).reply(200, image("2"));
  auto served = resolve().value();
  EXPECT_EQ(served.name, "gantry/python:latest");
  EXPECT_EQ(served.id, "sha256:" + FakeDaemon::id("2"));
  EXPECT_THAT(progress_, Contains("'python:3.11-alpine' can not be pulled; "
                                  "'gantry/python:latest' serves for it"));
}

TEST_F(ImagesTest, TheAliasIsFoundByWhateverSpellingOfTheName) {
  absent(python);
  daemon_.expect("POST", "/images/create").stream(200, {refused});
  daemon_.expect("GET", alias).reply(200, image("2"));
  EXPECT_EQ(resolve("docker.io/library/python:3.11-alpine")->name, "gantry/python:latest");
}

TEST_F(ImagesTest, WithoutItsAliasTheErrorIsTheRegistrysAndTheRemedyIsToMakeIt) {
  absent(python);
  daemon_.expect("POST", "/images/create").stream(200, {refused});
  absent(alias);
  auto served = resolve();
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().message, "cannot pull image 'python:3.11-alpine': manifest unknown");
  EXPECT_EQ(served.error().remedy,
            "make 'gantry/python:latest' from this machine's packages "
            "with 'gantry images make'");
}

TEST_F(ImagesTest, AnImageWithoutAnAliasIsRefusedInTheRegistrysWords) {
  daemon_.expect("GET", "/images/private%2Fthing%3Alatest/json")
      .reply(404, R"({"message":"none"})");
  daemon_.expect("POST", "/images/create")
      .reply(404, R"({"message":"pull access denied for private/thing"})");
  auto served = resolve("private/thing");
  ASSERT_FALSE(served);
  EXPECT_THAT(served.error().message, HasSubstr("pull access denied for private/thing"));
  EXPECT_THAT(served.error().remedy, HasSubstr("sign in to its registry"));
}

TEST_F(ImagesTest, AnEngineThatFailsIsNotAskedToPull) {
  daemon_.expect("GET", python).reply(500, R"({"message":"disk broken"})");
  EXPECT_THAT(resolve().error().message, HasSubstr("disk broken"));
  EXPECT_EQ(pulls(), 0U);
}

TEST_F(ImagesTest, AnEngineThatIsNotThereIsAnAnswerToo) {
  daemon_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "down", ""});
  EXPECT_EQ(resolve().error().kind, ErrorKind::unavailable);
}

TEST_F(ImagesTest, ARefusalIsRememberedAndAfterAWhileTriedAgain) {
  daemon_.expect("GET", python).reply(404, R"({"message":"none"})").always();
  daemon_.expect("GET", alias).reply(200, image("2")).always();
  daemon_.expect("POST", "/images/create").stream(200, {refused}).always();
  EXPECT_TRUE(resolve());
  EXPECT_TRUE(resolve());
  EXPECT_EQ(pulls(), 1U);

  loop_.run(async::pause(Milliseconds{1'600}));
  EXPECT_TRUE(resolve());
  EXPECT_EQ(pulls(), 2U);
}

async::task<void> resolve_into(Images& images, OnProgress progress, int& served) {
  auto image = co_await images.resolve("python:3.11-alpine", Logins::stored, std::move(progress));
  if (image) ++served;
}

async::task<void> three_at_once(async::TaskScope& waiters, Images& images, OnProgress progress,
                                FakeDaemon::Script& pull, int& served) {
  for (int i = 0; i < 3; ++i) {
    waiters.spawn("waiter", resolve_into(images, progress, served));
  }
  co_await async::until([&] { return pull.used() == 1; });
  pull.push("{\"status\":\"Extracting\"}\n");
  co_await async::pause(Milliseconds{10});
  pull.finish();
  co_await waiters.join();
}

TEST_F(ImagesTest, ManyWhoWaitForAnImageShareOnePullAndItsProgress) {
  absent(python);
  absent(python);
  absent(python);
  daemon_.expect("GET", python).reply(200, image("1")).always();
  auto& pull = daemon_.expect("POST", "/images/create").stream(200, {}).stay_open();
  int served = 0;
  async::TaskScope waiters{loop_.executor()};
  loop_.run(three_at_once(waiters, *images_, note(), pull, served));
  EXPECT_EQ(served, 3);
  EXPECT_EQ(pulls(), 1U);
  EXPECT_THAT(progress_, AllOf(SizeIs(testing::Ge(3U)), Each(StartsWith("pulling python:"))));
}

async::task<void> leave_and_come_back(async::TaskScope& impatient, async::TaskScope& patient,
                                      Images& images, OnProgress progress, FakeDaemon::Script& pull,
                                      int& served) {
  impatient.spawn("impatient", resolve_into(images, progress, served));
  patient.spawn("patient", resolve_into(images, progress, served));
  co_await async::until([&] { return pull.used() == 1; });
  co_await impatient.close();
  pull.finish();
  co_await patient.join();
}

TEST_F(ImagesTest, APullGoesOnForThoseWhoStillWait) {
  absent(python);
  absent(python);
  daemon_.expect("GET", python).reply(200, image("1")).always();
  auto& pull = daemon_.expect("POST", "/images/create").stream(200, {}).stay_open();
  int served = 0;
  async::TaskScope impatient{loop_.executor()};
  async::TaskScope patient{loop_.executor()};
  loop_.run(leave_and_come_back(impatient, patient, *images_, note(), pull, served));
  EXPECT_EQ(served, 1);
  EXPECT_EQ(pulls(), 1U);
}

async::task<void> leave_alone(async::TaskScope& waiters, Images& images, OnProgress progress,
                              FakeDaemon::Script& pull, int& served) {
  waiters.spawn("impatient", resolve_into(images, progress, served));
  co_await async::until([&] { return pull.used() == 1; });
  co_await waiters.close();
  co_await resolve_into(images, progress, served);
}

TEST_F(ImagesTest, APullThatNobodyWaitsForEndsAndIsNoRefusal) {
  absent(python);
  absent(python);
  daemon_.expect("GET", python).reply(200, image("1")).always();
  auto& pull = daemon_.expect("POST", "/images/create").stream(200, {}).stay_open();
  daemon_.expect("POST", "/images/create").stream(200, {});
  int served = 0;
  async::TaskScope waiters{loop_.executor()};
  loop_.run(leave_alone(waiters, *images_, note(), pull, served));
  EXPECT_EQ(served, 1);
  EXPECT_EQ(pulls(), 2U);
}

TEST_F(ImagesTest, WhatIsNoReferenceIsRefusedWithoutAskingAnybody) {
  auto served = resolve("../../etc");
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().kind, ErrorKind::invalid);
  EXPECT_THAT(daemon_.requests(), IsEmpty());
}

TEST_F(ImagesTest, TheLanguagesImagesHaveAliases) {
  EXPECT_EQ(images_->aliases().at("python:3.11-alpine"), "gantry/python:latest");
  EXPECT_EQ(images_->aliases().at("node:20-alpine"), "gantry/node:latest");
  EXPECT_EQ(images_->aliases().at("alpine:latest"), "gantry/sh:latest");
}

}  // namespace
}  // namespace gantry::sandbox
