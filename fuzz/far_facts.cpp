// What a far machine tells of itself: it is refused or can be judged, and no name or path of it is
// more than a name or a path.
#include "doctor/far_facts.hpp"

#include "base/text.hpp"
#include "doctor/checks.hpp"
#include "doctor/far_script.hpp"
#include "fuzz.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto facts = doctor::read_far_facts(fuzz::text_of(data, size));
  if (!facts) return 0;
  CHECK(facts->socket && doctor::is_plain_path(facts->socket->path));
  for (const auto& other : facts->other_sockets) CHECK(doctor::is_plain_path(other.path));
  CHECK(facts->subject.user.find_first_of(" '\"$`;&|<>\\\n") == std::string::npos);
  CHECK(facts->socket->group.find_first_of(" '\"$`;&|<>\\\n") == std::string::npos);
  auto report = doctor::examine(std::move(*facts));
  for (const auto& one : report.results) {
    CHECK(text::one_line(one.finding.summary) == one.finding.summary);
  }
  return 0;
}
