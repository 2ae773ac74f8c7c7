#include "base/error.hpp"

#include "base/log.hpp"

#include <array>
#include <cstdlib>

namespace gantry {
namespace {

constexpr std::array kinds{
    KindTraits{ErrorKind::invalid, "invalid", 400, 2},
    KindTraits{ErrorKind::unauthenticated, "unauthenticated", 401, 5},
    KindTraits{ErrorKind::denied, "denied", 403, 5},
    KindTraits{ErrorKind::not_found, "not_found", 404, 3},
    KindTraits{ErrorKind::conflict, "conflict", 409, 4},
    KindTraits{ErrorKind::too_large, "too_large", 413, 2},
    KindTraits{ErrorKind::exhausted, "exhausted", 429, 6},
    KindTraits{ErrorKind::unavailable, "unavailable", 503, 6},
    KindTraits{ErrorKind::timed_out, "timed_out", 504, 7},
    KindTraits{ErrorKind::internal, "internal", 500, 1},
};

constexpr bool covers_every_kind_in_order() {
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (static_cast<std::size_t>(kinds[i].kind) != i) return false;
  }
  return static_cast<std::size_t>(ErrorKind::internal) + 1 == kinds.size();
}
static_assert(covers_every_kind_in_order());

}  // namespace

const KindTraits& traits(ErrorKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

void check_failed(const char* expression, const char* file, int line) {
  log::error("a bug in gantry: {} does not hold at {}:{}", expression, file, line);
  log::flush();
  std::abort();
}

}  // namespace gantry
