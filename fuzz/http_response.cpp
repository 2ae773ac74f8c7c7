// The client's reading of what an engine answers.
#include "fuzz.hpp"
#include "net/http_parser.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using Parser = net::http::ResponseParser;
  Parser parser{Bytes{4'096}, data[0] % 2 == 0 ? Parser::Body::expected : Parser::Body::none};
  auto rest = fuzz::text_of(data + 1, size - 1);
  std::size_t body = 0;
  while (!rest.empty() && !parser.done()) {
    auto used = parser.feed(rest);
    if (!used) return 0;
    CHECK(*used <= rest.size());
    rest.remove_prefix(*used);
    if (parser.head_done()) {
      body += parser.body().size();
      parser.body().clear();
      CHECK(body <= size);
    }
    if (*used == 0) break;
  }
  if (!parser.done()) parser.finish();
  return 0;
}
