// The server's reading of requests, pipelined ones included, in one piece and byte by byte: both
// must see the same, or two parsers on one connection could be told different things.
#include "fuzz.hpp"
#include "net/http_parser.hpp"

#include <string>

using namespace gantry;

namespace {

std::string requests_in(std::string_view bytes, std::size_t piece) {
  std::string seen;
  net::http::RequestParser parser{Bytes{4'096}};
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    waiting += bytes.substr(at, piece);
    for (;;) {
      auto used = parser.feed(waiting);
      if (!used) return seen + "!" + std::to_string(used.error().status);
      waiting.erase(0, *used);
      if (parser.done()) {
        seen += parser.head().method + " " + parser.head().target + " " + parser.body() + "\n";
        parser = net::http::RequestParser{Bytes{4'096}};
      } else if (*used == 0) {
        break;
      }
      if (waiting.empty()) break;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  auto whole = requests_in(bytes, bytes.size() + 1);
  auto cut = requests_in(bytes, 1);
  CHECK(whole == cut);
  return 0;
}
