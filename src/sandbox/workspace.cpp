#include "sandbox/workspace.hpp"

#include "base/text.hpp"
#include "sandbox/init_protocol.hpp"
#include "sandbox/program.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr std::array modes{init::mode_plain, init::mode_executable, init::mode_folder};

enum class Left { all, too_large, too_many, too_deep, no_folder, too_late };

std::unexpected<Error> damaged() {
  return fail(ErrorKind::unavailable, "workspace_damaged",
              "cannot use the workspace: its stored copy is damaged",
              "delete it with DELETE /api/v1/workspaces/{name}");
}

/// Why it is not all of it.
std::string fault_of(Left left, Bytes bytes_max, std::size_t files_max) {
  switch (left) {
    case Left::all:
      return {};
    case Left::too_large:
      return fmt::format("more than {} bytes were in it", bytes_max.count);
    case Left::too_many:
      return fmt::format("more than {} files and folders were in it", files_max);
    case Left::too_deep:
      return fmt::format("more than {} folders lay in each other in it", workspace_depth_max);
    case Left::no_folder:
      return fmt::format("the program left no folder '{}' that can be read", workspace_folder);
    case Left::too_late:
      return "there was no time to take all of it back";
  }
  return "it has become something else";
}

}  // namespace

Milliseconds travel_max(const Workspace& workspace) {
  constexpr std::uint64_t bytes_in_second = 4U << 20U;
  return Seconds{10 + workspace.bytes_max.count / bytes_in_second};
}

Result<WorkspaceSize> measure(std::string_view packed) {
  WorkspaceSize size;
  std::uint64_t left = 0;
  while (!packed.empty()) {
    auto frame = init::first_frame(packed);
    if (!frame) return damaged();
    packed.remove_prefix(init::head_size + frame->payload.size());
    if (frame->type == 'D') {
      if (frame->payload.size() > left) return damaged();
      left -= frame->payload.size();
      continue;
    }
    auto head = init::decode_file_head(frame->payload);
    auto begins = std::string{workspace_folder} + "/";
    if (frame->type != 'F' || left > 0 || !head || !head->path.starts_with(begins)) {
      return damaged();
    }
    left = head->size;
    size.bytes.count += head->size;
    ++size.files;
  }
  if (left > 0) return damaged();
  return size;
}

std::string WorkspaceReader::begin(std::string_view payload) {
  auto head = init::decode_file_head(payload);
  if (!head) return head.error().message;
  bool sound = std::ranges::find(modes, head->mode) != modes.end() &&
               (head->mode != init::mode_folder || head->size == 0);
  if (!sound || ended_ || left_ > 0) return "a file of the workspace that can not be one";
  if (files_ == files_max_ || head->size > bytes_max_.count - bytes_) {
    return "more of the workspace than it may send";
  }
  ++files_;
  bytes_ += head->size;
  left_ = head->size;
  auto path = fmt::format("{}/{}", workspace_folder, head->path);
  kept_ = check_file_path(path) && text::valid_utf8(path);
  if (!kept_) ++left_out_;
  if (kept_) init::append_file_head(packed_, {head->mode, head->size, std::move(path)});
  return {};
}

std::string WorkspaceReader::append(std::string_view bytes) {
  if (bytes.empty()) return "data of the workspace that is none";
  if (bytes.size() > left_) return "a file of the workspace that is longer than announced";
  left_ -= bytes.size();
  if (kept_) init::append_frame(packed_, 'D', bytes);
  return {};
}

std::string WorkspaceReader::end(std::string_view payload) {
  auto ending = init::decode_kept_end(payload);
  if (!ending) return ending.error().message;
  if (ended_ || left_ > 0) return "an end of the workspace that is none";
  ended_ = true;
  left_out_ += ending->left_out;
  fault_ = fault_of(static_cast<Left>(ending->result), bytes_max_, files_max_);
  return {};
}

std::string WorkspaceReader::remark() const {
  if (!fault_.empty()) {
    return fmt::format("the workspace is kept as it was before: {}", fault_);
  }
  if (!ended_ || left_out_ == 0) return {};
  return fmt::format(
      "{} entries of the workspace are not kept: links, pipes, unreadable ones, or "
      "with names that are too long or no UTF-8",
      left_out_);
}

}  // namespace gantry::sandbox
