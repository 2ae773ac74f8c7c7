#include "integration/real_engine.hpp"

#include "net/endpoint.hpp"

#include <cstdlib>

namespace gantry {
namespace {

async::task<void> remove_marked(engine::Client& client, std::string mark) {
  auto containers = co_await engine::list_containers(client, engine::ListScope::all, {mark});
  for (const auto& container : value_or_throw(std::move(containers))) {
    value_or_throw(
        co_await engine::remove_container(client, container.id, {.force = true, .volumes = true}));
  }
  auto volumes = co_await engine::list_volumes(client, {mark});
  for (const auto& volume : value_or_throw(std::move(volumes))) {
    value_or_throw(co_await engine::remove_volume(client, volume.name));
  }
}

}  // namespace

void RealEngine::SetUp() {
  const char* text = std::getenv("GANTRY_TEST_ENGINE");
  if (text == nullptr) {
    constexpr auto* reason = "GANTRY_TEST_ENGINE is not set: './dev test' sets it";
    if (std::getenv("CI") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }
  auto endpoint = value_or_throw(net::Endpoint::parse(text));
  client_ = std::make_unique<engine::Client>(loop_.executor(),
                                             net::dialer(loop_.executor(), endpoint), endpoint);
}

void RealEngine::TearDown() {
  if (usable()) run(remove_marked(engine(), mark()));
}

engine::ContainerSpec RealEngine::sleeper() const {
  engine::ContainerSpec spec;
  spec.image = image;
  spec.entrypoint = {"sleep", "600"};
  spec.labels = labels();
  spec.network_mode = "none";
  return spec;
}

engine::ContainerSpec RealEngine::shell(std::string script) const {
  auto spec = sleeper();
  spec.entrypoint = {"sh", "-c", std::move(script)};
  spec.attach_stdin = spec.attach_stdout = spec.attach_stderr = true;
  spec.open_stdin = spec.stdin_once = true;
  return spec;
}

std::string RealEngine::create(const engine::ContainerSpec& spec) {
  return must(engine::create_container(engine(), fresh_name(), spec)).id;
}

std::string RealEngine::started(const engine::ContainerSpec& spec) {
  auto id = create(spec);
  value_or_throw(run(engine::start_container(engine(), id)));
  return id;
}

}  // namespace gantry
