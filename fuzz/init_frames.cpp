// What a container says: frames, verdicts and artifacts, however the bytes are cut.
#include "fuzz.hpp"
#include "sandbox/init_protocol.hpp"

#include <algorithm>

using namespace gantry;

namespace {

void check_artifact(std::string_view payload) {
  auto head = sandbox::init::decode_artifact_head(payload);
  if (!head || !sandbox::check_file_path(head->path)) return;
  CHECK(!head->path.empty() && head->path.front() != '/' && !head->path.contains('\0'));
  CHECK(!("/" + head->path + "/").contains("/../"));
}

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
      if ((*next)->type == 'N') check_artifact((*next)->payload);
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
