#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The archive that package tools leave, made into the root file system of an image.
namespace gantry::sandbox::root_tar {

/// A symbolic link: where it is (`usr/bin/python`) and where it points (`python3`).
using Link = std::pair<std::string, std::string>;

/// `./usr/bin/x` as `usr/bin/x`; nothing for what an image does not need: package lists and
/// caches, documentation, translations, devices, and what the engine mounts over.
/// `kept` are folders that it does need although they are among those.
std::optional<std::string> kept_path(std::string_view path,
                                     const std::vector<std::string_view>& kept = {});

/// What becomes of an archive beyond what becomes of all.
struct Changes {
  std::vector<Link> links;
  std::vector<std::string_view> kept;
};

/// Writes `to` from the tar archive `from`: the kept files in their order, owned by root, without
/// set-user-id bits and with one fixed time; then users, mount points, links and the applets of
/// busybox wherever no package has put a file. Blocks; throws Failure.
void rebuild(const std::filesystem::path& from, const std::filesystem::path& to,
             const Changes& changes);

}  // namespace gantry::sandbox::root_tar
