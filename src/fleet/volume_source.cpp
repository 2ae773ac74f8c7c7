#include "fleet/volume_source.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace gantry::fleet {
namespace {

/// What is not the host's whatever its device is called, as long as nothing is bound.
constexpr std::array<std::string_view, 4> not_the_hosts{"tmpfs", "nfs", "nfs4", "cifs"};

std::string option(const engine::Volume& volume, const char* name) {
  auto found = volume.options.find(name);
  return found == volume.options.end() ? std::string{} : found->second;
}

/// With such a word the kernel does not look at the type.
bool binds(std::string_view words) {
  return std::ranges::any_of(text::split(words, ','), [](std::string_view word) {
    auto bare = text::lowered(text::trimmed(word));
    return bare == "bind" || bare == "rbind" || bare == "move" || bare == "remount";
  });
}

/// Absolute, without detours: else nobody can say from here what it means there.
bool is_plain(std::string_view path) {
  return path.starts_with('/') && !path.contains("//") && !path.contains("/.") &&
         !path.contains('\0');
}

}  // namespace

std::optional<std::string> source_on_host(const engine::Volume& volume) {
  if (volume.driver != "local" || volume.options.empty()) return std::nullopt;
  auto type = text::lowered(option(volume, "type"));
  auto device = option(volume, "device");
  bool bound = binds(option(volume, "o"));
  bool mounts = bound || !device.empty() || !type.empty();
  bool elsewhere = std::ranges::find(not_the_hosts, type) != not_the_hosts.end();
  if (!mounts || (elsewhere && !bound)) return std::nullopt;
  while (device.size() > 1 && device.ends_with('/')) device.pop_back();
  return is_plain(device) ? device : "/";
}

async::task<Result<std::vector<std::string>>> sources_on_host(engine::Client& client,
                                                              engine::NewContainer wanted) {
  std::vector<std::string> sources;
  for (const auto& mount : wanted.volumes) {
    auto volume = co_await engine::inspect_volume(client, mount.volume);
    // The engine will make one, with a room of its own.
    if (!volume && volume.error().kind == ErrorKind::not_found) continue;
    if (!volume) co_return fail(std::move(volume.error()));
    if (auto source = source_on_host(*volume)) sources.push_back(std::move(*source));
  }
  co_return sources;
}

}  // namespace gantry::fleet
