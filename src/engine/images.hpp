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
  /// The image it was built on, where the engine tells (those of the classic builder); or empty.
  std::string parent;
  std::vector<std::string> tags;  ///< Without the `<none>` of older engines; empty: untagged.
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
  std::string created;  ///< RFC 3339 as the engine wrote it.
  std::string author;
  std::vector<std::string> layers;         ///< Digests of what it is made of, the base first.
  std::vector<std::string> exposed_ports;  ///< `8080/tcp`
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

enum class ImageScope {
  top,  ///< What people see as images: with a name, or nothing built on them.
  all,  ///< The intermediate ones, too.
};
/// Newest first.
async::task<Result<std::vector<ImageSummary>>> list_images(Client& client,
                                                           ImageScope scope = ImageScope::top);
/// `image`: a reference or an id (`sha256:…`).
async::task<Result<ImageDetails>> inspect_image(Client& client, std::string image);

/// One step in the making of an image (GET /images/{name}/history). The maker wrote it.
struct ImageStep {
  std::string id;  ///< Empty when the engine does not have it as an image.
  WallTime created;
  std::string created_by;
  std::string comment;
  std::int64_t size_bytes = 0;
  std::vector<std::string> tags;
};
/// The latest step first.
async::task<Result<std::vector<ImageStep>>> image_history(Client& client, std::string image);

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
/// What becomes of untagged images it was built on, when nothing else is.
enum class UntaggedParents { remove, keep };
/// What a removal did: names taken away, and images that went.
struct RemovedImage {
  std::vector<std::string> untagged;
  std::vector<std::string> deleted;
};
/// An image with several names only loses the one that was given; by id it goes, if it has one
/// name or `force` is said. Of a used one (conflict) `force` takes the names.
async::task<Result<RemovedImage>> remove_image(Client& client, std::string image, RemoveImage how,
                                               UntaggedParents parents = UntaggedParents::remove);

}  // namespace gantry::engine
