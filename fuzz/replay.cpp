// Runs every file of a folder through one fuzz target: the kept corpus as an ordinary test.
//   gantry_fuzz_replay NAME FOLDER
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using Target = int (*)(const std::uint8_t*, std::size_t);

// GANTRY_FUZZ_TARGETS is `TARGET(http_request) TARGET(http_response) …`, written by CMake.
#define TARGET(name) extern "C" int fuzz_##name(const std::uint8_t*, std::size_t);
GANTRY_FUZZ_TARGETS
#undef TARGET

int main(int count, char** words) {
#define TARGET(name) {#name, &fuzz_##name},
  const std::map<std::string, Target> targets{GANTRY_FUZZ_TARGETS};
#undef TARGET
  const std::vector<std::string> arguments{words, words + count};
  auto target = targets.at(arguments.at(1));
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator{arguments.at(2)}) {
    std::ifstream file{entry.path(), std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++replayed;
  }
  return replayed > 0 ? 0 : 1;  // an empty corpus tests nothing
}
