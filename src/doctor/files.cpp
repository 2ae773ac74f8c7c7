#include "doctor/files.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <fstream>

#include <unistd.h>

namespace gantry::doctor {

std::optional<std::string> file_text(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::nullopt;
  std::string text(1U << 20U, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return text;
}

std::string found_in(std::string_view path, const std::string& program) {
  for (auto folder : text::split(path, ':')) {
    auto file = std::filesystem::path{folder} / program;
    std::error_code failed;
    bool there = !folder.empty() && std::filesystem::is_regular_file(file, failed);
    if (there && ::access(file.c_str(), X_OK) == 0) return file.string();
  }
  return {};
}

}  // namespace gantry::doctor
