#pragma once

#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "sandbox/workspace.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gantry::executions {

/// A workspace as its owner sees it.
struct WorkspaceInfo {
  std::string name;
  sandbox::WorkspaceSize size;
  WallTime changed_at;
  bool in_use = false;
};

/// The folders that users keep between executions, each a file of its own: `<account>/<name>`. One
/// execution at a time has one. Everything on disk happens on the workers.
class Workspaces {
 public:
  struct Settings {
    std::filesystem::path folder;  ///< Made when something is written.
    Bytes bytes_max{64U << 20U};   ///< Of each workspace,
    std::size_t files_max = 1000;  ///< folders count;
    std::size_t user_max = 10;     ///< and so many of each user.
  };

 private:
  using Key = std::pair<std::string, std::string>;  ///< Account and name.
  using Keys = std::set<Key>;

 public:
  /// The right of one execution to a workspace, until it is destroyed.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : taken_{std::exchange(other.taken_, nullptr)}, key_{std::move(other.key_)} {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (taken_) taken_->erase(key_);
    }

   private:
    friend class Workspaces;
    Lease(std::shared_ptr<Keys> taken, Key key) : taken_{std::move(taken)}, key_{std::move(key)} {
      taken_->insert(key_);
    }
    std::shared_ptr<Keys> taken_;  ///< Shared with the Workspaces, which it may outlive.
    Key key_;
  };

  Workspaces(Settings settings, async::Workers& workers)
      : settings_{std::move(settings)}, workers_{workers} {}

  /// Those that a crash has left half written go. Before anything else.
  async::task<void> remove_drafts();

  /// For an execution whose work folder holds at most `room`. Refused, conflict:
  /// `workspace_in_use`, `workspace_too_large`, `too_many_workspaces`.
  async::task<Result<Lease>> borrow(std::string account, std::string name, Bytes room);
  /// What an execution gets. Refused: unavailable (`workspace_damaged`). Throws Failure when the
  /// disk can not be read.
  async::task<Result<sandbox::Workspace>> load(const Lease& lease);
  /// Replaces the stored copy: after a crash it is the old one or this. Throws Failure:
  /// `disk_full` (exhausted), `data_dir_not_writable` (unavailable).
  async::task<void> keep(const Lease& lease, std::string packed);

  /// Of one account, by name.
  async::task<std::vector<WorkspaceInfo>> list(std::string account);
  /// not_found (`no_such_workspace`).
  async::task<Result<WorkspaceInfo>> find(std::string account, std::string name);
  /// Refused: not_found (`no_such_workspace`), conflict (`workspace_in_use`).
  async::task<Result<>> remove(std::string account, std::string name);

 private:
  std::filesystem::path folder_of(const std::string& account) const;
  std::filesystem::path path_of(const Key& key) const { return folder_of(key.first) / key.second; }
  bool is_taken(const Key& key) const { return taken_->contains(key); }

  Settings settings_;
  async::Workers& workers_;
  std::shared_ptr<Keys> taken_ = std::make_shared<Keys>();
};

}  // namespace gantry::executions
