#include "engine/images.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST_F(EngineImages, ANameThatSaysNoneIsNone) {
  daemon_.expect("GET", "/images/json")
      .reply(200, R"([{"Id":"sha256:1","ParentId":"sha256:0","RepoTags":["<none>:<none>"],)"
                  R"("RepoDigests":["<none>@<none>"],"Created":1,"Size":42}])");
  auto images = value_or_throw(run(list_images(*client_)));
  ASSERT_EQ(images.size(), 1U);
  EXPECT_THAT(images[0].tags, IsEmpty());
  EXPECT_THAT(images[0].digests, IsEmpty());
  EXPECT_EQ(images[0].parent, "sha256:0");
}

TEST_F(EngineImages, IntermediateOnesAreListedWhenAskedFor) {
  daemon_.expect("GET", "/images/json?all=1").reply(200, "[]");
  EXPECT_THAT(value_or_throw(run(list_images(*client_, ImageScope::all))), IsEmpty());
}

TEST_F(EngineImages, AListThatIsNoneIsMalformed) {
  daemon_.expect("GET", "/images/json").reply(200, R"({"message":"hello"})");
  auto images = run(list_images(*client_));
  ASSERT_FALSE(images);
  EXPECT_EQ(images.error().code, "engine_answer_malformed");
}

TEST_F(EngineImages, AHistoryTellsEveryStepAndNoIdWhereThereIsNone) {
  daemon_.expect("GET", "/images/gantry%2Fsh/history")
      .reply(200, R"([{"Id":"sha256:)" + FakeDaemon::id("c") +
                      R"(","Created":1700000000,"CreatedBy":"CMD [\"sh\"]","Size":0,)"
                      R"("Tags":["gantry/sh:latest"],"Comment":""},{"Id":"<missing>",)"
                      R"("Created":1700000000,"CreatedBy":"ADD / /","Size":5,"Tags":null}])");
  auto steps = value_or_throw(run(image_history(*client_, "gantry/sh")));
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].created_by, R"(CMD ["sh"])");
  EXPECT_THAT(steps[0].tags, ElementsAre("gantry/sh:latest"));
  EXPECT_EQ(steps[1].id, "");
  EXPECT_EQ(steps[1].size_bytes, 5);
}

TEST_F(EngineImages, ARemovalTellsWhatWent) {
  daemon_.expect("DELETE", "/images/gantry%2Fsh?force=1&noprune=1")
      .reply(200, R"([{"Untagged":"gantry/sh:latest"},{"Deleted":"sha256:1"}])");
  auto removed = value_or_throw(
      run(remove_image(*client_, "gantry/sh", RemoveImage::force, UntaggedParents::keep)));
  EXPECT_THAT(removed.untagged, ElementsAre("gantry/sh:latest"));
  EXPECT_THAT(removed.deleted, ElementsAre("sha256:1"));
}

TEST_F(EngineImages, AnImageInUseIsAConflictWithARemedy) {
  daemon_.expect("DELETE", "/images/gantry%2Fsh")
      .reply(409, R"({"message":"conflict: unable to remove repository reference \"gantry/sh\" )"
                  R"((must force) - container 1f is using its referenced image 2e"})");
  auto removed = run(remove_image(*client_, "gantry/sh", RemoveImage::unless_used));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
}

}  // namespace
}  // namespace gantry::engine
