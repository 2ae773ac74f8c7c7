#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Tar archives of a few files, in memory (libarchive).
namespace gantry::sandbox::tar {

struct Entry {
  std::string name;
  std::string_view content;
  int mode = 0555;
};

/// An uncompressed ustar archive of these files, owned by root.
std::string of_files(std::span<const Entry> entries);
/// An uncompressed ustar archive with one executable file, owned by root.
std::string of_executable(std::string_view name, std::string_view content);
/// The content of the regular file `name` in an uncompressed archive; nothing when it is not
/// there, is anything but a regular file, or is over `size_max` bytes.
std::optional<std::string> regular_file(std::string_view archive, std::string_view name,
                                        std::size_t size_max);

}  // namespace gantry::sandbox::tar
