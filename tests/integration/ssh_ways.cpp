#include "integration/ssh_ways.hpp"

#include "async/deadline.hpp"

#include <cstdlib>
#include <utility>

namespace gantry {
namespace {

async::task<void> poll(std::function<bool()> reached) {
  while (!reached()) co_await async::pause(Milliseconds{10});
}

}  // namespace

namespace fs = std::filesystem;

void SshWays::SetUp() {
  RealEngine::SetUp();
  if (!usable()) return;
  keys_.emplace(loop_);
  places_.known_hosts = folder_.file("known_hosts");
  places_.runtime = folder_.file("run");
  fs::create_directory(places_.runtime);
  if (auto missing = SshServer::missing()) {
    if (std::getenv("CI") != nullptr) FAIL() << *missing;
    GTEST_SKIP() << *missing;
  }
}

void SshWays::TearDown() {
  if (tunnel_) run(tunnel_->close());
  if (usable()) EXPECT_TRUE(fs::is_empty(places_.runtime)) << "a private folder is left";
  RealEngine::TearDown();
}

void SshWays::trust(const SshServer& server) {
  folder_.write("known_hosts", folder_.read("known_hosts") + server.known_hosts_line());
}

void SshWays::welcome(SshServer& server, const std::string& key) {
  server.accept(keys_->public_key(key));
  trust(server);
}

net::SshSettings SshWays::with_key(const std::string& name, const std::string& passphrase) {
  return {.identity = Secret{keys_->make(name, passphrase)}, .passphrase = Secret{passphrase}};
}

net::SshTunnel& SshWays::open(const net::Endpoint& endpoint, net::SshSettings settings,
                              net::SshPace pace) {
  far_.reset();
  tunnel_ =
      std::make_unique<net::SshTunnel>(executor(), endpoint, std::move(settings), places_, pace);
  far_ = std::make_unique<engine::Client>(executor(), tunnel_->connector(), endpoint);
  return *tunnel_;
}

Result<std::vector<engine::ContainerSummary>> SshWays::list() {
  return run(async::attempt(engine::list_containers(*far_, engine::ListScope::all, {})));
}

void SshWays::eventually(std::function<bool()> reached) {
  run(async::with_deadline(Seconds{60}, "waiting", poll(std::move(reached))));
}

Error SshWays::refusal() {
  auto stream = run(async::attempt(tunnel_->connect()));
  return stream ? Error{} : stream.error();
}

}  // namespace gantry
