// Text encodings: what is written is read back, and what is read is well-formed.
#include "base/encoding.hpp"

#include "base/text.hpp"
#include "fuzz.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  CHECK(encoding::from_base64(encoding::base64(bytes)) == bytes);
  CHECK(encoding::from_percent(encoding::percent(bytes)) == bytes);
  if (auto decoded = encoding::from_base64(bytes)) {
    CHECK(encoding::base64(*decoded).starts_with(bytes.substr(0, bytes.find('='))));
  }
  (void)encoding::from_percent(bytes);
  auto line = text::one_line(bytes);
  CHECK(text::valid_utf8(line) && line.find_first_of("\n\r\x1b") == std::string::npos);
  CHECK(text::shortened(line, 20).size() <= 20 + sizeof("…"));
  CHECK(text::valid_utf8(text::shortened(line, 20)));
  CHECK(text::valid_utf8(text::json_quoted(bytes)));
  return 0;
}
