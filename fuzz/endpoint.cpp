// Where an engine is: what is accepted is written out as something that means the same.
#include "net/endpoint.hpp"

#include "fuzz.hpp"
#include "net/http_syntax.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto endpoint = net::Endpoint::parse(fuzz::text_of(data, size));
  if (!endpoint) return 0;
  auto again = net::Endpoint::parse(endpoint->text());
  CHECK(again && again->scheme() == endpoint->scheme() && again->path() == endpoint->path());
  CHECK(again->host() == endpoint->host() && again->port() == endpoint->port());
  CHECK(net::http::is_field_value(endpoint->host_header()));
  return 0;
}
