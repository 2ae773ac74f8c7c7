// An archive that a stranger sends: what comes out stays below its folder and within the limits.
#include "fuzz.hpp"
#include "sandbox/zip.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr sandbox::zip::Limits limits{
      .files_max = 8, .file_bytes_max = 4'096, .bytes_max = 8'192, .ratio_max = 20};
  auto allowed = [](std::string_view path) { return path.size() < 100; };
  auto files = sandbox::zip::unpack(fuzz::text_of(data, size), limits, allowed);
  if (!files) return 0;
  CHECK(files->size() <= limits.files_max);
  std::size_t total = 0;
  for (const auto& file : *files) {
    CHECK(sandbox::check_file_path(file.path) && allowed(file.path));
    CHECK(file.content.size() <= limits.file_bytes_max);
    total += file.content.size();
  }
  CHECK(total <= limits.bytes_max);
  return 0;
}
