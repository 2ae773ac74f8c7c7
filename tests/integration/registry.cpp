#include "integration/registry.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"

#include <cstdlib>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gantry {
namespace {

constexpr const char* configuration = R"(version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{}"}}}}
http: {{addr: "127.0.0.1:{}"}}
)";

/// A port that was free a moment ago.
std::uint16_t free_port() {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

}  // namespace

void RealRegistry::SetUp() {
  RealEngine::SetUp();
  if (!usable()) return;
  port_ = free_port();
  std::filesystem::create_directories(folder_);
  auto config = folder_ / "config.yml";
  std::ofstream{config} << fmt::format(configuration, folder_.string(), port_);
  auto started = async::Process::start(
      loop_.executor(), {.argv = {"docker-registry", "serve", config}, .env = {"HOME=/tmp"}});
  if (!started && std::getenv("CI") != nullptr) FAIL() << started.error().sentence();
  if (!started) GTEST_SKIP() << started.error().sentence();
  registry_.emplace(std::move(*started));
  auto endpoint = value_or_throw(net::Endpoint::parse(fmt::format("tcp://127.0.0.1:{}", port_)));
  auto connect = net::dialer(loop_.executor(), endpoint);
  auto answers = [&] { return run(async::attempt(connect())).has_value(); };
  for (int tries = 0; tries < 100 && !answers(); ++tries) run(async::pause(Milliseconds{50}));
}

void RealRegistry::TearDown() {
  registry_.reset();
  std::filesystem::remove_all(folder_);
  RealEngine::TearDown();
}

std::string RealRegistry::at_registry(std::string_view name) const {
  return fmt::format("127.0.0.1:{}/{}", port_, name);
}

std::string RealRegistry::push(const std::string& reference) {
  auto parsed = value_or_throw(engine::ImageReference::parse(reference));
  engine::Request request;
  request.doing = {"push", "image", reference};
  request.method = "POST";
  request.path = {"images", parsed.familiar_name(), "push"};
  request.query = {{"tag", parsed.tag()}};
  request.headers.set("X-Registry-Auth", "e30=");
  auto said = must(engine().call(request)).body;
  EXPECT_THAT(said, ::testing::HasSubstr("digest: sha256:"));
  EXPECT_TRUE(run(engine::remove_image(engine(), reference, engine::RemoveImage::force)));
  constexpr std::string_view mark = "digest: ";
  return said.substr(said.find(mark) + mark.size(), 71);
}

std::string RealRegistry::push_small_image(const std::string& reference) {
  auto parsed = value_or_throw(engine::ImageReference::parse(reference));
  auto empty_tar = engine::source_of(std::string(10'240, '\0'));
  auto id = must(engine::import_image(engine(), parsed, std::move(empty_tar), {}));
  push(reference);
  return id;
}

}  // namespace gantry
