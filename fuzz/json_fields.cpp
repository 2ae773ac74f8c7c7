// A request's body as the API reads it: strict JSON, a program, its limits.
#include "fuzz.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/program.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto value = json::parse(fuzz::text_of(data, size), json::Keys::strict);
  if (!value) return 0;
  json::Fields fields{*value, "", json::Keys::strict};
  auto program = sandbox::read_program(fields);
  if (const auto* limits = fields.member("limits")) {
    auto policy = sandbox::read_policy(*limits);
    if (policy) CHECK(policy->wall_time.count() > 0 && policy->memory.count > 0);
  }
  if (fields.finish()) {
    CHECK(!program.image.empty() && !program.command.empty());
    for (const auto& file : program.files) CHECK(sandbox::check_file_path(file.path));
  }
  return 0;
}
