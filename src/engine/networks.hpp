#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <map>
#include <string>
#include <vector>

namespace gantry::engine {

/// Addresses of a network: `172.18.0.0/16` and its gateway, which is the host. Either may be empty.
struct Subnet {
  std::string prefix;
  std::string gateway;
};

struct Network {
  std::string id;
  std::string name;
  std::string driver;  ///< `bridge`, `host`, `null`, `overlay` …
  bool internal = false;
  bool ipv6 = false;
  std::vector<Subnet> subnets;
  std::map<std::string, std::string> options;
};

/// A bridge of its own with IPv4 only; what it shall be like besides is in `options`.
struct NetworkSpec {
  std::string name;
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> labels;
};

/// Answers the new one's id. A name that is taken is a conflict, as far as the engine notices.
async::task<Result<std::string>> create_network(Client& client, NetworkSpec spec);
async::task<Result<std::vector<Network>>> list_networks(Client& client);

}  // namespace gantry::engine
