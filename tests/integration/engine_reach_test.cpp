#include "async/attempt.hpp"
#include "engine/system.hpp"
#include "integration/real_engine.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gantry::engine {
namespace {

/// The ways in which an engine is not there, with real sockets; needs no engine.
class EngineReach : public ::testing::Test {
 protected:
  EngineReach() { std::filesystem::create_directories(folder_); }
  ~EngineReach() override {
    if (socket_ >= 0) close(socket_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ / "engine.sock"; }
  void bind_socket() {
    socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    // NOLINTNEXTLINE: the one cast the socket API asks for
    ASSERT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  std::string code(const std::string& endpoint_text) {
    auto endpoint = value_or_throw(net::Endpoint::parse(endpoint_text));
    Client client{loop_.executor(), net::dialer(loop_.executor(), endpoint), endpoint};
    auto pinged = loop_.run(async::attempt(ping(client)));
    return pinged ? "" : pinged.error().code;
  }

  async::TestLoop loop_;
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gantry-test-" + random::word(12));
  int socket_ = -1;
};

TEST_F(EngineReach, ASocketThatIsNotThere) {
  EXPECT_EQ(code("unix://" + path()), "engine_socket_missing");
}

TEST_F(EngineReach, ASocketThatNobodyListensOn) {
  bind_socket();
  EXPECT_EQ(code("unix://" + path()), "engine_not_running");
}

TEST_F(EngineReach, APortThatNobodyListensOn) {
  EXPECT_EQ(code("tcp://127.0.0.1:1"), "engine_not_running");
}

TEST_F(EngineReach, ASocketThatMayNotBeOpened) {
  bind_socket();
  ASSERT_EQ(listen(socket_, 1), 0);
  std::filesystem::permissions(path(), std::filesystem::perms::none);
  // Root may open every socket; user 65534 may not.
  auto self = geteuid();
  if (self == 0) ASSERT_EQ(seteuid(65'534), 0);
  auto seen = code("unix://" + path());
  ASSERT_EQ(seteuid(self), 0);
  EXPECT_EQ(seen, "engine_permission_denied");
}

using EngineSystem = RealEngine;

TEST_F(EngineSystem, TheEngineTellsWhatItIs) {
  EXPECT_GE(run(ping(engine())), oldest_api);
  auto facts = must(info(engine()));
  EXPECT_FALSE(facts.engine_version.empty());
  EXPECT_EQ(facts.os_type, "linux");
  EXPECT_GT(facts.cpus, 0);
  auto told = must(version(engine()));
  EXPECT_EQ(told.version, facts.engine_version);
  EXPECT_FALSE(told.min_api_version.empty());
}

TEST_F(EngineSystem, AnImportedImageIsListedTaggedAndRemoved) {
  auto reference = value_or_throw(ImageReference::parse("gantry-test/" + random::word(12)));
  auto id =
      must(import_image(engine(), reference, source_of(std::string(1024, '\0')), {R"(CMD ["x"])"}));
  auto other = value_or_throw(ImageReference::parse(reference.familiar_name() + ":other"));
  EXPECT_TRUE(run(tag_image(engine(), reference.familiar(), other)));
  auto details = must(inspect_image(engine(), id));
  EXPECT_THAT(details.tags,
              ::testing::UnorderedElementsAre(reference.familiar(), other.familiar()));
  EXPECT_THAT(must(list_images(engine())),
              ::testing::Contains(::testing::Field(&ImageSummary::id, id)));
  EXPECT_TRUE(run(remove_image(engine(), reference.familiar(), RemoveImage::unless_used)));
  EXPECT_TRUE(run(remove_image(engine(), other.familiar(), RemoveImage::unless_used)));
  auto gone = run(inspect_image(engine(), id));
  EXPECT_EQ(gone.error().code, "engine_no_image");
}

TEST_F(EngineSystem, APullFromARegistryThatIsNotThereSaysSo) {
  auto reference = value_or_throw(ImageReference::parse("127.0.0.1:1/nobody/nothing"));
  auto pulled = run(pull_image(engine(), reference, {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, "engine_registry_unreachable");
  EXPECT_THAT(pulled.error().message,
              ::testing::StartsWith("cannot pull image '127.0.0.1:1/nobody/nothing:latest': "));
}

TEST_F(EngineSystem, AVolumeInUseIsNotRemoved) {
  auto name = fresh_name();
  must(create_volume(engine(), name, labels()));
  EXPECT_EQ(must(inspect_volume(engine(), name)).labels, labels());
  EXPECT_EQ(must(list_volumes(engine(), {mark()})).size(), 1U);
  auto spec = sleeper();
  spec.mounts = {{.volume = name, .target = "/data"}};
  create(spec);
  auto removed = run(remove_volume(engine(), name));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
}

TEST_F(EngineSystem, FilesGoInAndComeOut) {
  auto id = create(sleeper());
  auto tar = must(get_archive(engine(), id, "/bin/busybox", Bytes{8U << 20U}));
  EXPECT_GT(tar.size(), 100'000U);
  EXPECT_TRUE(run(put_archive(engine(), id, "/tmp", source_of(tar))));
  EXPECT_EQ(must(get_archive(engine(), id, "/tmp/busybox", Bytes{8U << 20U})).size(), tar.size());
  auto missing = run(get_archive(engine(), id, "/no/such", Bytes{1024}));
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace gantry::engine
