#pragma once

#include "async/descriptor.hpp"
#include "async/process.hpp"
#include "base/error.hpp"
#include "sandbox/warmth.hpp"

#include <vector>

namespace gantry::sandbox {

/// Who the server is on its machine, and so whence it has the right to make namespaces.
enum class Privilege {
  root,            ///< It is root: programs run as users of their own.
  user_namespace,  ///< It is not: in a user namespace, as the server's own user outside.
};
Privilege own_privilege();

/// How a nursery is started in the local executor's root: bubblewrap's arguments, and the files of
/// that root as descriptors, which live as long as this.
struct LocalRoot {
  async::ProcessSpec spec;  ///< Descriptor 3 is left for the nursery's socket: its first.
  std::vector<async::Descriptor> files;
};

/// The root of local programs: /usr of this machine, read-only, an /etc of ours, /dev with the
/// harmless devices, and nothing of /home, /run, /var or any other folder. `interpreter` is what
/// becomes the nursery there; `none` is our own small program.
Result<LocalRoot> local_root(Interpreter interpreter, Privilege privilege, int nursery_socket);

}  // namespace gantry::sandbox
