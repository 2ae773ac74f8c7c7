#pragma once

#include <memory>
#include <string>
#include <utility>

#include "async/process.hpp"
#include "async/task.hpp"

namespace gantry::testing {

/// Debian's docker-registry on a free port of the loopback interface, with a folder of its own;
/// stopped and removed with this object.
class Registry {
 public:
  /// Nothing when the program is not installed.
  static async::task<std::unique_ptr<Registry>> start();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  /// `127.0.0.1:41234`
  const std::string& address() const { return address_; }
  /// Puts an image of the engine into the registry under `name` and takes the name off again.
  async::task<bool> offer(std::string image, std::string name) const;

 private:
  Registry(async::Process process, std::string folder, std::string address)
      : process_{std::move(process)}, folder_{std::move(folder)}, address_{std::move(address)} {}

  async::Process process_;
  std::string folder_;
  std::string address_;
};

}  // namespace gantry::testing
