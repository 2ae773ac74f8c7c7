#pragma once

#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "fleet/inventory.hpp"

#include <string_view>
#include <vector>

namespace gantry::api {

/// One kind of thing that can be pruned: in two steps, so that nothing goes which nobody has seen.
/// `{"preview": true, …}` answers what would go; the same with `ids` instead removes those of them
/// that would still go, and nothing else.
struct PruneKind {
  std::string_view thing;  ///< `image`, `volume`, `network`
  /// What `which` may say: the careful choice first. Empty: there is nothing to choose.
  std::string_view nameless;
  std::string_view unused;
  std::string_view kept_label;  ///< What carries it is the sandbox's, and stays.
  /// What would go now.
  async::task<Result<std::vector<fleet::Prunable>>> (*plan)(HostPointer host,
                                                            fleet::PruneWish wish);
  async::task<Result<>> (*remove)(HostPointer host, fleet::Prunable item);
};

/// Tells what would go, or removes those of it that the request names, each audited by itself.
Answer prune(Call& call, const PruneKind& kind);

}  // namespace gantry::api
