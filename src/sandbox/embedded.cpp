#include "sandbox/embedded.hpp"

extern "C" {
extern const char gantry_init_begin[];
extern const char gantry_init_end[];
extern const char gantry_seccomp_begin[];
extern const char gantry_seccomp_end[];
}

namespace gantry::sandbox::embedded {

std::string_view init_program() { return {gantry_init_begin, gantry_init_end}; }
std::string_view seccomp_profile() { return {gantry_seccomp_begin, gantry_seccomp_end}; }

}  // namespace gantry::sandbox::embedded
