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
std::optional<std::string> kept_path(std::string_view path);

/// Writes `to` from the tar archive `from`: the kept files in their order, owned by root, without
/// set-user-id bits and with one fixed time; then users, mount points, `links` and the applets of
/// busybox wherever no package has put a file. Blocks; throws Failure.
void rebuild(const std::filesystem::path& from, const std::filesystem::path& to,
             const std::vector<Link>& links);

}  // namespace gantry::sandbox::root_tar
