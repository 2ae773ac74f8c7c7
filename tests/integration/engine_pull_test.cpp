// Pulls from a registry of our own: Debian's docker-registry on a loopback port, which engines
// take without TLS.
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "integration/real_engine.hpp"

#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::uint16_t free_port() {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  // NOLINTBEGIN: the casts the socket API asks for
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  // NOLINTEND
  ::close(socket);
  return ntohs(address.sin_port);
}

class EnginePull : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (usable()) start_registry();
  }
  void TearDown() override {
    registry_.reset();
    std::filesystem::remove_all(folder_);
    RealEngine::TearDown();
  }

  void start_registry() {
    std::filesystem::create_directories(folder_);
    auto config = folder_ / "config.yml";
    std::ofstream{config} << fmt::format(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        "storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{}'}}\n",
        folder_.string(), port_);
    async::ProcessSpec spec{.argv = {"docker-registry", "serve", config}, .env = {"HOME=/tmp"}};
    auto started = async::Process::start(executor(), spec);
    if (!started && std::getenv("CI") != nullptr) FAIL() << started.error().sentence();
    if (!started) GTEST_SKIP() << started.error().sentence();
    registry_.emplace(std::move(*started));
    auto endpoint = value_or_throw(net::Endpoint::parse(fmt::format("tcp://127.0.0.1:{}", port_)));
    auto connect = net::dialer(executor(), endpoint);
    auto answers = [&] { return run(async::attempt(connect())).has_value(); };
    for (int tries = 0; tries < 100 && !answers(); ++tries) run(async::pause(Milliseconds{50}));
  }

  ImageReference at_registry(std::string_view name) const {
    return value_or_throw(ImageReference::parse(fmt::format("127.0.0.1:{}/{}", port_, name)));
  }
  /// Puts a small image into the registry and takes it out of the engine; answers its id.
  std::string pushed(const ImageReference& reference) {
    auto id = must(import_image(engine(), reference, source_of(std::string(10'240, '\0')), {}));
    Request push;
    push.doing = {"push", "image", reference.familiar()};
    push.method = "POST";
    push.path = {"images", reference.familiar_name(), "push"};
    push.query = {{"tag", reference.tag()}};
    push.headers.set("X-Registry-Auth", "e30=");
    auto said = must(engine().call(push)).body;
    EXPECT_THAT(said, HasSubstr("digest: sha256:"));
    EXPECT_TRUE(run(remove_image(engine(), reference.familiar(), RemoveImage::force)));
    digest_ = said.substr(said.find("digest: ") + 8, 71);
    return id;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("gantry-test-registry-" + random::word(12));
  std::uint16_t port_ = free_port();
  std::optional<async::Process> registry_;
  std::string digest_;
};

TEST_F(EnginePull, APulledImageIsThereAndItsProgressWasSeen) {
  auto reference = at_registry("team/app:1.0");
  auto id = pushed(reference);
  std::vector<std::string> seen;
  auto note = [&](const PullProgress& line) { seen.push_back(line.status); };
  auto pulled = run(pull_image(engine(), reference, {}, note));
  ASSERT_TRUE(pulled) << pulled.error().sentence();
  EXPECT_EQ(must(inspect_image(engine(), reference.familiar())).id, id);
  EXPECT_THAT(seen, Contains(HasSubstr("Pulling from team/app")));
  EXPECT_TRUE(run(remove_image(engine(), id, RemoveImage::force)));
}

TEST_F(EnginePull, AnImageCanBePulledByItsDigest) {
  auto reference = at_registry("team/app:1.0");
  auto id = pushed(reference);
  auto by_digest = at_registry("team/app@" + digest_);
  auto pulled = run(pull_image(engine(), by_digest, {}, {}));
  ASSERT_TRUE(pulled) << pulled.error().sentence();
  EXPECT_EQ(must(inspect_image(engine(), by_digest.familiar())).id, id);
  EXPECT_TRUE(run(remove_image(engine(), id, RemoveImage::force)));
}

TEST_F(EnginePull, ATagThatIsNotThereIsNotFoundInTheRegistrysWords) {
  pushed(at_registry("team/app:1.0"));
  auto pulled = run(pull_image(engine(), at_registry("team/app:2.0"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::not_found);
  EXPECT_EQ(pulled.error().code, "engine_no_such_remote_image");
  EXPECT_THAT(pulled.error().message, HasSubstr("manifest"));
}

TEST_F(EnginePull, ANameThatIsNotThereIsNotFoundToo) {
  auto pulled = run(pull_image(engine(), at_registry("nobody/nothing"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace gantry::engine
