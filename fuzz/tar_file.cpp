// An archive that came from a container: at most one plain file of a bounded size comes out.
#include "fuzz.hpp"
#include "sandbox/tar.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t size_max = 4'096;
  auto file = sandbox::tar::regular_file(fuzz::text_of(data, size), "gantry-init", size_max);
  if (!file) return 0;
  CHECK(file->size() <= size_max);
  auto packed = sandbox::tar::of_executable("gantry-init", *file);
  CHECK(sandbox::tar::regular_file(packed, "gantry-init", size_max) == file);
  return 0;
}
