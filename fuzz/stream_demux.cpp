// The engine's multiplexed output: the same bytes come out however they come in.
#include "engine/streams.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <array>

using namespace gantry;

namespace {

std::array<std::string, 3> outputs_in(std::string_view bytes, std::size_t piece) {
  engine::StreamDemux demux;
  std::array<std::string, 3> outputs;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    demux.feed(bytes.substr(0, piece));
    for (;;) {
      auto next = demux.next();
      outputs[2] = next ? "" : "broken";
      if (!next || !*next) break;
      outputs[(*next)->output == engine::Output::out ? 0 : 1] += (*next)->bytes;
    }
  }
  return outputs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  CHECK(outputs_in(bytes, size + 1) == outputs_in(bytes, 1));
  return 0;
}
