#include "sandbox/embedded.hpp"

#include <array>

extern "C" {
extern const char gantry_init_begin[];
extern const char gantry_init_end[];
extern const char gantry_holder_begin[];
extern const char gantry_holder_end[];
extern const char gantry_ender_begin[];
extern const char gantry_ender_end[];
extern const char gantry_seccomp_begin[];
extern const char gantry_seccomp_end[];
extern const char gantry_python_begin[];
extern const char gantry_python_end[];
extern const char gantry_node_begin[];
extern const char gantry_node_end[];
}

namespace gantry::sandbox::embedded {

std::string_view init_program() { return {gantry_init_begin, gantry_init_end}; }
std::string_view ender_program() { return {gantry_ender_begin, gantry_ender_end}; }
std::span<const InitFile> init_files() {
  static const std::array files{
      InitFile{"gantry-init", init_program(), 0555},
      InitFile{"gantry-holder", {gantry_holder_begin, gantry_holder_end}, 0555},
      InitFile{"sitecustomize.py", {gantry_python_begin, gantry_python_end}, 0444},
      InitFile{"waiter.cjs", {gantry_node_begin, gantry_node_end}, 0444},
  };
  return files;
}

std::string_view seccomp_profile() { return {gantry_seccomp_begin, gantry_seccomp_end}; }

}  // namespace gantry::sandbox::embedded
