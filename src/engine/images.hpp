#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "engine/client.hpp"
#include "engine/image_reference.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::engine {

struct ImageSummary {
  std::string id;
  std::vector<std::string> tags;
  std::vector<std::string> digests;
  WallTime created;
  std::int64_t size_bytes = 0;
  std::map<std::string, std::string> labels;
};

/// GET /images/{name}/json. Everything in it was written by whoever made the image.
struct ImageDetails {
  std::string id;
  std::vector<std::string> tags;
  std::vector<std::string> digests;
  std::string os;
  std::string architecture;
  std::int64_t size_bytes = 0;
  std::vector<std::string> volumes;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string user;
  std::string working_dir;
  std::vector<std::string> healthcheck_test;
  std::map<std::string, std::string> labels;
};

/// Every image with a name, newest first.
async::task<Result<std::vector<ImageSummary>>> list_images(Client& client);
/// `image`: a reference or an id (`sha256:…`).
async::task<Result<ImageDetails>> inspect_image(Client& client, std::string image);

struct RegistryAuth {
  std::string user;
  Secret password;
  std::string server;
};

/// One line of a pull: `status` is the registry's or engine's words.
struct PullProgress {
  std::string layer;
  std::string status;
  std::int64_t current_bytes = 0;
  std::int64_t total_bytes = 0;
};
using OnPullProgress = std::function<void(const PullProgress&)>;

/// Pulls until it is there. A refusal inside the stream is an error in the registry's own words.
async::task<Result<>> pull_image(Client& client, ImageReference reference,
                                 std::optional<RegistryAuth> auth, OnPullProgress on_progress);
/// Makes an image of a root file system (uncompressed tar). `changes` are Dockerfile
/// instructions (`CMD ["sh"]`). Answers the image's id.
async::task<Result<std::string>> import_image(Client& client, ImageReference reference, Source tar,
                                              std::vector<std::string> changes);
async::task<Result<>> tag_image(Client& client, std::string image, ImageReference reference);

enum class RemoveImage { unless_used, force };
async::task<Result<>> remove_image(Client& client, std::string image, RemoveImage how);

}  // namespace gantry::engine
