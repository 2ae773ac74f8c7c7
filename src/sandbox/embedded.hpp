#pragma once

#include <span>
#include <string_view>

/// What the sandbox brings along, inside our own binary.
namespace gantry::sandbox::embedded {

/// The static gantry-init (src/init).
std::string_view init_program();
/// The static gantry-ender (src/ender), which ends what runs in containers without a shell.
std::string_view ender_program();
/// What lies in the volume that every sandbox mounts: gantry-init, gantry-holder (src/holder) and
/// the waiters of interpreters (src/sandbox/warm).
struct InitFile {
  std::string_view name;
  std::string_view content;
  int mode;
};
std::span<const InitFile> init_files();
/// Our seccomp profile as JSON (src/sandbox/seccomp).
std::string_view seccomp_profile();

}  // namespace gantry::sandbox::embedded
