#include "net/resolve.hpp"

#include "net/look_up.hpp"

namespace gantry::net {

async::task<std::vector<std::string>> resolve(std::string host) {
  auto addresses = co_await look_up(std::move(host), {"getent", "ahosts", "--"});
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  co_return texts;
}

}  // namespace gantry::net
