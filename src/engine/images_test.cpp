#include "engine/images.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "engine/volumes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EngineImages : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }
  static ImageReference reference(std::string_view text) {
    return value_or_throw(ImageReference::parse(text));
  }
  Result<> pull(std::vector<std::string> lines) {
    daemon_.expect("POST", "/images/create").stream(200, std::move(lines));
    auto note = [this](const PullProgress& line) { progress_.push_back(line.status); };
    return run(pull_image(*client_, reference("python:3.11-alpine"), {}, note));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
  std::vector<std::string> progress_;
};

TEST_F(EngineImages, APullTellsItsProgress) {
  EXPECT_TRUE(pull({"{\"status\":\"Pulling from library/python\",\"id\":\"3.11-alpine\"}\r\n",
                    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":5,\"total\":10},"
                    "\"id\":\"abc\"}\r\n"}));
  EXPECT_THAT(progress_, ElementsAre("Pulling from library/python", "Downloading"));
  EXPECT_THAT(daemon_.requests(),
              ElementsAre("POST /v1.41/images/create?fromImage=python&tag=3.11-alpine"));
}

TEST_F(EngineImages, ARefusalInsideTheStreamIsAnErrorInTheRegistrysWords) {
  auto pulled = pull({"{\"status\":\"Pulling\"}\r\n",
                      "{\"errorDetail\":{\"message\":\"manifest unknown: no 3.11\"},"
                      "\"error\":\"manifest unknown: no 3.11\"}\r\n"});
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::not_found);
  EXPECT_EQ(pulled.error().message,
            "cannot pull image 'python:3.11-alpine': manifest unknown: no 3.11");
}

TEST_F(EngineImages, ARegistryThatCanNotBeReachedIsToldFromAnImageThatIsNotThere) {
  daemon_.expect("POST", "/images/create")
      .reply(500, R"({"message":"Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup )"
                  R"(registry-1.docker.io: no such host"})");
  auto pulled = run(pull_image(*client_, reference("python"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, "engine_registry_unreachable");
  daemon_.expect("POST", "/images/create")
      .reply(404, R"({"message":"pull access denied for nobody/nothing, repository does not )"
                  R"(exist or may require 'docker login': denied"})");
  pulled = run(pull_image(*client_, reference("nobody/nothing"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, "engine_no_such_remote_image");
}

TEST_F(EngineImages, ADigestTakesTheTagsPlace) {
  auto digest = "sha256:" + std::string(64, 'a');
  daemon_.expect("POST", "/images/create").stream(200, {"{}\n"});
  EXPECT_TRUE(run(pull_image(*client_, reference("python:3@" + digest), {}, {})));
  EXPECT_THAT(daemon_.requests().back(), HasSubstr("fromImage=python&tag=sha256%3Aaaaa"));
}

TEST_F(EngineImages, CredentialsTravelInTheirHeaderOnly) {
  daemon_.expect("POST", "/images/create").stream(200, {"{}\n"});
  RegistryAuth auth{"me", Secret{"pass"}, "registry.example"};
  EXPECT_TRUE(run(pull_image(*client_, reference("python"), std::move(auth), {})));
  EXPECT_EQ(daemon_.server().seen().back().headers.get("X-Registry-Auth"),
            "eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJwYXNzIiwic2VydmVyYWRkcmVzcyI6InJlZ2lzdHJ5Lm"
            "V4YW1wbGUifQ==");
}

TEST_F(EngineImages, AnImportAnswersTheImagesId) {
  auto id = "sha256:" + FakeDaemon::id("c");
  daemon_
      .expect("POST",
              "/images/create?fromSrc=-&repo=gantry%2Fsh&tag=latest&changes=CMD%20%5B%22sh%22%5D")
      .stream(200, {R"({"status":")" + id + "\"}\r\n"});
  auto made = run(import_image(*client_, reference("gantry/sh"), source_of("the tar's bytes"),
                               {R"(CMD ["sh"])"}));
  EXPECT_EQ(made.value_or(""), id);
  EXPECT_EQ(daemon_.last_body(), "the tar's bytes");
}

TEST_F(EngineImages, InspectReadsWhatTheMakerOfTheImageWrote) {
  daemon_.expect("GET", "/images/gantry%2Fsh%3Alatest/json")
      .reply(200, R"({"Id":"sha256:)" + FakeDaemon::id("c") +
                      R"(","RepoTags":null,"Config":{"Volumes":{"/data":{}},"Env":["A=b"],)"
                      R"("Entrypoint":null,"Cmd":["sh"],"User":"0","Healthcheck":)"
                      R"({"Test":["CMD","true"]}}})");
  auto details = value_or_throw(run(inspect_image(*client_, "gantry/sh:latest")));
  EXPECT_THAT(details.volumes, ElementsAre("/data"));
  EXPECT_THAT(details.env, ElementsAre("A=b"));
  EXPECT_THAT(details.cmd, ElementsAre("sh"));
  EXPECT_THAT(details.healthcheck_test, ElementsAre("CMD", "true"));
}

TEST_F(EngineImages, NothingIsSentForAnImageThatIsNone) {
  auto details = run(inspect_image(*client_, "../containers/json"));
  ASSERT_FALSE(details);
  EXPECT_EQ(details.error().code, "invalid_image");
  EXPECT_THAT(details.error().message, HasSubstr("cannot inspect image '../containers/json': "));
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(EngineImages, AVolumeInUseIsAConflictWithARemedy) {
  daemon_.expect("DELETE", "/volumes/v")
      .reply(409, R"({"message":"remove v: volume is in use - [abc]"})");
  auto removed = run(remove_volume(*client_, "v"));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(removed.error().remedy, "remove the containers that use it first");
}

}  // namespace
}  // namespace gantry::engine
