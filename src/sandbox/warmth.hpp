#pragma once

#include "base/bytes.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/images.hpp"
#include "sandbox/init_protocol.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

/// Which programs can be run in surroundings that were made before they came.
///
/// A container's network, folders, user and runtime are fixed when it is created, so warm
/// containers come in classes. An interpreter that was booted beforehand has read its environment
/// already: a program for which a plain run would differ in anything does not get one.
namespace gantry::sandbox {

/// What waits in a container for its program.
enum class Interpreter {
  none,    ///< gantry-init alone, which starts any command.
  python,  ///< `python3 -u main.py`, stopped just before it opens main.py.
  node,    ///< `node main.js`, the same.
};
std::string_view word(Interpreter interpreter);

/// What can not be changed about a container once it is there.
struct WarmClass {
  std::string image_id;
  Interpreter interpreter = Interpreter::none;
  Bytes file;  ///< The largest file; only of an interpreter, which has its limit from its start.
  Bytes tmpfs;
  Network network = Network::none;
  Filesystem filesystem = Filesystem::temp;
  Runtime runtime = Runtime::runc;
  auto operator<=>(const WarmClass&) const = default;

  /// Whether only image and interpreter tell it from that of a request without limits.
  bool usual() const;
  /// `python, tmpfs 64 MiB, network none, filesystem temp, runc`: for people.
  std::string text() const;
};
WarmClass warm_class_of(const Execution& execution, const ServedImage& image);

/// What a waiting container of this kind is taken to cost: memory that nobody else could use. An
/// estimate; `./dev bench sandbox` shows what it really is.
Bytes cost_of(Interpreter interpreter);

/// How the interpreter of a class is started so that it waits; nothing for Interpreter::none.
std::optional<init::Boot> boot_of(const WarmClass& warm_class, const ServedImage& image);

}  // namespace gantry::sandbox
