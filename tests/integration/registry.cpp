#include "integration/registry.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"

namespace gantry::testing {
namespace {

constexpr const char* configuration = R"(version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {0}/data}}}}
http: {{addr: "{1}"}}
)";

const std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent"};

/// A port that was free a moment ago.
int free_port() {
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

async::task<bool> docker(std::vector<std::string> words) {
  std::vector<std::string> argv{"docker", "-H", std::getenv("GANTRY_TEST_ENGINE")};
  argv.insert(argv.end(), words.begin(), words.end());
  auto done = co_await async::run_process({argv, environment}, 4096);
  if (done && !done->status.success()) fmt::print(stderr, "{}\n", done->output);
  co_return done && done->status.success();
}

async::task<bool> answers(std::string address) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto endpoint = value_or_throw(net::Endpoint::parse("tcp://" + address));
  for (int tried = 0; tried < 100; ++tried) {
    if (co_await async::attempt(net::dialer(executor, endpoint)())) co_return true;
    co_await async::pause(Milliseconds{50});
  }
  co_return false;
}

}  // namespace

async::task<std::unique_ptr<Registry>> Registry::start() {
  std::string folder = std::filesystem::temp_directory_path() / "gantry-registry-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) co_return nullptr;
  auto address = fmt::format("127.0.0.1:{}", free_port());
  std::ofstream{folder + "/config.yml"} << fmt::format(configuration, folder, address);
  auto executor = co_await boost::asio::this_coro::executor;
  auto process = async::Process::start(
      executor, {{"docker-registry", "serve", folder + "/config.yml"}, environment});
  if (!process || !co_await answers(address)) {
    std::filesystem::remove_all(folder);
    co_return nullptr;
  }
  co_return std::unique_ptr<Registry>{new Registry{std::move(*process), folder, address}};
}

Registry::~Registry() {
  process_.kill(SIGKILL);
  std::filesystem::remove_all(folder_);
}

async::task<bool> Registry::offer(std::string image, std::string name) const {
  auto full = fmt::format("{}/{}", address_, name);
  bool pushed = co_await docker({"tag", image, full}) && co_await docker({"push", "--quiet", full});
  co_return pushed && co_await docker({"rmi", full});
}

}  // namespace gantry::testing
