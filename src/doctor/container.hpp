#pragma once

#include <string>

namespace gantry::doctor {

/// By what a container can be told from a machine.
struct ContainerSigns {
  std::string mountinfo;  ///< /proc/self/mountinfo (proc(5))
  bool marked = false;    ///< Engines leave `/.dockerenv` and the like.
};

/// Engines mount `/etc/hosts` and `/etc/resolv.conf` over those of the image. A mark alone says
/// nothing: machines are booted from images, too, with `/.dockerenv` in them. And what is called a
/// container and has services and accounts of its own, as LXC's, is a machine to us.
bool is_container(const ContainerSigns& signs);

/// Whether this is inside a container.
bool inside_container();

}  // namespace gantry::doctor
