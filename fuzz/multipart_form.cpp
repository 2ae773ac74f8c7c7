// A form that a stranger sends: its parts lie in the body, in order, and are bounded.
#include "fuzz.hpp"
#include "net/multipart.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr net::http::FormLimits limits{.parts_max = 16, .part_head_max = 256};
  auto text = fuzz::text_of(data, size);
  auto line_end = text.find('\n');
  auto boundary = net::http::form_boundary(text.substr(0, line_end));
  auto body = line_end == text.npos ? std::string_view{} : text.substr(line_end + 1);
  auto parts = net::http::parse_form(body, boundary.value_or("x"), limits);
  if (!parts) return 0;
  CHECK(parts->size() <= limits.parts_max);
  const char* at = body.data();
  for (const auto& part : *parts) {
    CHECK(!part.name.empty() && part.content.data() >= at);
    at = part.content.data() + part.content.size();
  }
  CHECK(at <= body.data() + body.size());
  return 0;
}
