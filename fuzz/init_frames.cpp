// What a container says: frames and verdicts, however the bytes are cut.
#include "fuzz.hpp"
#include "sandbox/init_protocol.hpp"

#include <algorithm>

using namespace gantry;

namespace {

std::string frames_in(std::string_view bytes, std::size_t piece) {
  sandbox::init::FrameReader reader;
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.feed(bytes.substr(0, piece));
    for (;;) {
      auto next = reader.next();
      if (!next) return seen + "!";
      if (!*next) break;
      seen += (*next)->type + (*next)->payload + ";";
      if ((*next)->type == 'V') (void)sandbox::init::decode_report((*next)->payload);
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  CHECK(frames_in(bytes, size + 1) == frames_in(bytes, 3));
  (void)sandbox::init::decode_report(bytes);
  return 0;
}
