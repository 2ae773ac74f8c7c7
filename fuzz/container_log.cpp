// The log of a container with a terminal: the same entries come out however the bytes come in, and
// nothing but the times before them is lost.
#include "fleet/log_batch.hpp"
#include "fuzz.hpp"

#include <algorithm>

using namespace gantry;

namespace {

fleet::LogBatch entries_in(std::string_view bytes, std::size_t piece) {
  fleet::LogSplitter splitter{engine::Framing::raw};
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    splitter.feed({.bytes = bytes.substr(0, piece)});
  }
  splitter.finish();
  return splitter.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  auto whole = entries_in(bytes, size + 1);
  auto single = entries_in(bytes, 1);
  CHECK(whole.bytes == single.bytes);
  CHECK(whole.entries.size() == single.entries.size());
  bool has_time = false;
  for (const auto& entry : whole.entries) {
    CHECK(entry.begin + entry.size <= whole.bytes.size());
    if (entry.at_ns == 0) continue;
    has_time = true;
    // What is shown as a time is read as the same again.
    auto again = fleet::leading_time(fleet::rfc3339_nanoseconds(entry.at_ns) + " ");
    CHECK(!again || again->first == entry.at_ns);
  }
  CHECK(has_time || whole.bytes == bytes);
  return 0;
}
