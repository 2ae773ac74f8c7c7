// A browser's frames, whole and byte by byte, with the last word of each reading.
#include "net/websocket_frames.hpp"

#include "fuzz.hpp"

#include <algorithm>

using namespace gantry;

namespace {

std::string events_in(std::string_view bytes, std::size_t piece, net::WebSocketRole role) {
  net::WebSocketReader reader{role, Bytes{1'024}};
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    auto violation = reader.feed(bytes.substr(0, piece));
    while (auto event = reader.next()) {
      CHECK(event->data.size() <= 1'024);
      seen += std::to_string(static_cast<int>(event->opcode)) + event->data + ";";
    }
    if (violation) return seen + "!" + std::to_string(violation->code);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto role = data[0] % 2 == 0 ? net::WebSocketRole::server : net::WebSocketRole::client;
  auto bytes = fuzz::text_of(data + 1, size - 1);
  CHECK(events_in(bytes, size, role) == events_in(bytes, 1, role));
  return 0;
}
