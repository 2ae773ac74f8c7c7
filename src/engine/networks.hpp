#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <map>
#include <string>
#include <vector>

namespace gantry::engine {

/// Addresses of a network: `172.18.0.0/16` and its gateway, which is the host. Any may be empty.
struct Subnet {
  std::string prefix;
  std::string gateway;
  std::string range = {};  ///< The part of the prefix that containers get their addresses from.
};

/// A container's place in a network.
struct NetworkMember {
  std::string container;  ///< id
  std::string name;
  std::string ipv4;  ///< With its prefix length: `172.18.0.2/16`
  std::string ipv6;
};

struct Network {
  std::string id;
  std::string name;
  std::string driver;   ///< `bridge`, `host`, `null`, `overlay` …
  std::string scope;    ///< `local`, `swarm`
  std::string created;  ///< RFC 3339 as the engine wrote it.
  bool internal = false;
  bool attachable = false;
  bool ipv6 = false;
  std::vector<Subnet> subnets;
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> labels;
  /// Of `inspect_network` alone: who is running in it. Lists do not tell.
  std::vector<NetworkMember> members;
};

/// A bridge of its own with IPv4 only, unless said otherwise.
struct NetworkSpec {
  std::string name;
  std::string driver = "bridge";
  bool internal = false;    ///< Without a way out.
  bool attachable = false;  ///< Of overlays: for containers that are no service's, too.
  bool ipv6 = false;
  std::vector<Subnet> subnets = {};  ///< None: the engine chooses.
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> labels = {};
};

/// Answers the new one's id. A name that is taken is a conflict, as far as the engine notices.
async::task<Result<std::string>> create_network(Client& client, NetworkSpec spec);
async::task<Result<std::vector<Network>>> list_networks(Client& client);
/// `network`: a name or an id.
async::task<Result<Network>> inspect_network(Client& client, std::string network);
/// Refused (conflict) while a running container is in it, and of the engine's own three.
async::task<Result<>> remove_network(Client& client, std::string network);

/// How a container comes into a network. Empty: the engine chooses.
struct NetworkConnection {
  std::string container;
  std::vector<std::string> aliases = {};
  std::string ipv4 = {};
  std::string ipv6 = {};
};
async::task<Result<>> connect_network(Client& client, std::string network,
                                      NetworkConnection connection);
enum class Disconnect { when_possible, force };
async::task<Result<>> disconnect_network(Client& client, std::string network, std::string container,
                                         Disconnect how);

}  // namespace gantry::engine
