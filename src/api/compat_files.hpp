#pragma once

#include "base/error.hpp"
#include "net/multipart.hpp"
#include "sandbox/program.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::api {

/// The files that came with a script, as `POST /execute` tells of them.
struct Attachments {
  std::vector<sandbox::File> files;  ///< Below `files/`.
  std::vector<std::string> names;    ///< What `files_attached` lists.
  std::size_t bytes = 0;             ///< Of all files, unpacked.
  struct Extraction {
    std::string archive;
    std::vector<std::string> paths;
  };
  std::vector<Extraction> extractions;
};

/// What a script may bring.
struct AttachmentLimits {
  std::size_t file_max = 10U << 20U;
  std::size_t total_max = 50U << 20U;       ///< Of the files as they were sent.
  std::size_t unpacked_max = 100U << 20U;   ///< Of what comes out of all archives.
  std::size_t unpacked_files_max = 1'000U;  ///< Members of all archives.
};
inline constexpr AttachmentLimits attachment_limits;

/// Takes the parts that are called `files` and have a file name; unpacks ZIP archives. Errors are
/// in the origin's words. Takes long on large forms: run it beside the event loop.
Result<Attachments> attach(const std::vector<net::http::FormPart>& parts);

/// Whether a file of this name may be attached: by its extension.
bool may_be_attached(std::string_view name);
/// The name as Werkzeug's secure_filename makes it safe: ASCII letters, digits, `_`, `.`, `-`.
/// Empty when nothing of it is left.
std::string secure_file_name(std::string_view name);

/// The script with the folder that the origin gave it, `/workspace`, replaced by ours, `/box`,
/// wherever it stands as a path or at a path's beginning: a read-only root has no other.
std::string with_our_folder(std::string_view script);

}  // namespace gantry::api
