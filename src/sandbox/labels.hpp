#pragma once

/// The labels of the sandbox's own objects on an engine. By them any server or agent can tell
/// what a crash left behind.
namespace gantry::sandbox::labels {

inline constexpr const char* kind = "io.gantry.kind";  ///< `sandbox`, `network` or `init-volume`
inline constexpr const char* owner = "io.gantry.owner";
inline constexpr const char* execution = "io.gantry.execution";
inline constexpr const char* deadline = "io.gantry.deadline";  ///< Unix seconds
inline constexpr const char* recipe = "io.gantry.recipe";      ///< on images we made

}  // namespace gantry::sandbox::labels
