#include "engine/fake_daemon_fake.hpp"

#include <fmt/format.h>

namespace gantry::engine {

FakeDaemon::FakeDaemon(ApiVersion version) : version_{version} {
  server_.expect("GET", "/_ping")
      .reply(200, "OK", {{"Api-Version", version.text()}, {"Server", "Docker/fake"}})
      .always();
}

FakeDaemon::Script& FakeDaemon::expect(std::string method, std::string_view target) {
  return server_.expect(std::move(method), fmt::format("/v{}{}", version_.text(), target));
}

std::unique_ptr<Client> FakeDaemon::client(const async::Executor& executor) {
  auto endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
  return std::make_unique<Client>(executor, server_.connect(), std::move(endpoint));
}

std::vector<std::string> FakeDaemon::requests() const {
  std::vector<std::string> out;
  for (const auto& seen : server_.seen()) {
    if (seen.target != "/_ping") out.push_back(fmt::format("{} {}", seen.method, seen.target));
  }
  return out;
}

std::string FakeDaemon::last_body() const {
  std::string body;
  for (const auto& seen : server_.seen()) {
    if (!seen.body.empty()) body = seen.body;
  }
  return body;
}

std::string FakeDaemon::id(std::string_view begin) {
  std::string out{begin};
  out.resize(64, '0');
  return out;
}

json::Object FakeDaemon::container(std::string_view id_begin, std::string_view name,
                                   std::string_view state) {
  return {{"Id", id(id_begin)},
          {"Names", json::Array{fmt::format("/{}", name)}},
          {"Image", "gantry/sh:latest"},
          {"ImageID", fmt::format("sha256:{}", id("1"))},
          {"State", state},
          {"Status", "Up 2 hours"},
          {"Created", 1'790'000'000},
          {"Ports", json::Array{}},
          {"Labels", json::Object{}}};
}

std::string FakeDaemon::event(std::string_view action, std::string_view id_begin) {
  json::Object actor{{"ID", id(id_begin)}, {"Attributes", json::Object{{"image", "x"}}}};
  json::Object event{{"Type", "container"},
                     {"Action", action},
                     {"Actor", std::move(actor)},
                     {"time", 1'790'000'000}};
  return json::serialize(event) + "\n";
}

}  // namespace gantry::engine
