// What a browser sends back as cookies: only a cookie of exactly that name is found, only when it
// comes once, and what we set is what we find among whatever other applications have set.
#include "api/cookie.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"

using namespace gantry;

namespace {

constexpr std::string_view name = "gantry_5920";

/// Every line is a Cookie header.
net::http::Headers headers_of(std::string_view lines) {
  net::http::Headers headers;
  for (auto line : text::split(lines, '\n')) headers.add("Cookie", std::string{line});
  return headers;
}

/// The values of that name, found another way: by where `name=` stands, not by taking apart.
std::size_t times_in(std::string_view lines) {
  std::size_t times = 0;
  auto wanted = std::string{name} + "=";
  constexpr std::string_view blank = " \t\r";
  for (auto at = lines.find(wanted); at != lines.npos; at = lines.find(wanted, at + 1)) {
    auto before = lines.substr(0, at);
    while (!before.empty() && blank.contains(before.back())) before.remove_suffix(1);
    if (before.empty() || before.back() == ';' || before.back() == '\n') ++times;
  }
  return times;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto lines = fuzz::text_of(data, size);
  auto headers = headers_of(lines);
  auto found = api::find_cookie(headers, name);
  CHECK(found.has_value() == (times_in(lines) == 1));
  CHECK(!found || !found->contains(';'));

  const Secret value{"0123456789abcdefghijklmnopqrstuvwxyz"};
  auto set = api::session_cookie(api::Transport::plain, 5920, value, Seconds{60});
  headers.add("Cookie", set.substr(0, set.find(';')));
  auto ours = api::find_cookie(headers, name);
  if (times_in(lines) == 0) {
    CHECK(ours == value.reveal());
  } else {
    CHECK(!ours);
  }
  return 0;
}
