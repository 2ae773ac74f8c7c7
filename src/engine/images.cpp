#include "engine/images.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "engine/read.hpp"
#include "engine/refusal.hpp"
#include "engine/streams.hpp"
#include "engine/tar_source.hpp"

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Bytes list_max{64U << 20U};
/// A registry may be slow, but not silent: engines report progress every 100 ms.
constexpr Milliseconds pull_silence_max{300'000};
/// Docker says nothing while it unpacks what it imports.
constexpr Milliseconds import_silence_max{300'000};

Result<> check_image(const Doing& doing, const std::string& image) {
  if (valid_image_id(image)) return ok;
  auto reference = ImageReference::parse(image);
  if (reference) return ok;
  const auto& error = reference.error();
  auto cause = error.message.substr(error.message.rfind(": ") + 2);
  return fail(error.kind, error.code, fmt::format("cannot {}: {}", doing.text(), cause),
              error.remedy);
}

std::string auth_header(const RegistryAuth& auth) {
  json::Object object{{"username", auth.user},
                      {"password", std::string{auth.password.reveal()}},
                      {"serveraddress", auth.server}};
  return encoding::base64url(json::serialize(object));
}

/// One line of what `POST /images/create` streams.
struct Line {
  PullProgress progress;
  std::string error;
};

Result<Line> line_of(const Doing& doing, std::string_view text) {
  auto value = json::parse(text, json::Keys::tolerant);
  if (!value) return fail(read::malformed(doing, value.error()));
  auto fields = read::fields(*value, "");
  Line line;
  line.progress.layer = read::text(fields, "id");
  line.progress.status = read::text(fields, "status");
  line.error = read::text(fields, "error");
  if (const auto* detail = fields.member("progressDetail")) {
    auto inner = read::fields(*detail, "progressDetail");
    line.progress.current_bytes = read::integer(inner, "current");
    line.progress.total_bytes = read::integer(inner, "total");
    if (auto done = inner.finish(); !done) fields.adopt(done.error());
  }
  if (const auto* detail = fields.member("errorDetail")) {
    auto inner = read::fields(*detail, "errorDetail");
    if (auto message = read::text(inner, "message"); !message.empty()) line.error = message;
  }
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  return line;
}

/// Reads such a stream to its end; an error line ends it as an error.
async::task<Result<>> follow(Doing doing, net::http::StreamedResponse response,
                             Milliseconds silence_max, OnPullProgress on_progress) {
  JsonLines lines{std::move(response)};
  for (;;) {
    auto text = co_await lines.next(silence_max);
    if (!text) co_return ok;
    auto line = line_of(doing, *text);
    if (!line) co_return fail(std::move(line.error()));
    if (!line->error.empty()) co_return fail(refusal_in_words(doing, line->error));
    if (on_progress) on_progress(line->progress);
  }
}

/// Collects the last status, which is where the engine puts an imported image's id.
async::task<Result<std::string>> imported_id(Doing doing, net::http::StreamedResponse response) {
  std::string last;
  auto remember = [&last](const PullProgress& progress) { last = progress.status; };
  auto done = co_await follow(doing, std::move(response), import_silence_max, remember);
  if (!done) co_return fail(std::move(done.error()));
  if (valid_image_id(last)) co_return last;
  co_return fail(read::malformed(doing, json::field_error("status", "must be the image's id")));
}

/// Names, without the `<none>:<none>` by which engines before 25 say that there is none.
std::vector<std::string> names_in(json::Fields& fields, std::string_view key) {
  auto names = read::texts(fields, key);
  std::erase_if(names, [](const std::string& name) { return name.starts_with("<none>"); });
  return names;
}

ImageSummary summary_of(json::Fields& fields) {
  ImageSummary summary;
  summary.id = read::text(fields, "Id");
  summary.parent = read::text(fields, "ParentId");
  summary.tags = names_in(fields, "RepoTags");
  summary.digests = names_in(fields, "RepoDigests");
  summary.created = read::time_of(read::integer(fields, "Created"));
  summary.size_bytes = read::integer(fields, "Size");
  summary.labels = read::text_map(fields, "Labels");
  return summary;
}

void read_config(json::Fields& parent, ImageDetails& details) {
  const auto* config = parent.member("Config");
  if (config == nullptr) return;
  auto fields = read::fields(*config, "Config");
  details.volumes = read::keys(fields, "Volumes");
  details.exposed_ports = read::keys(fields, "ExposedPorts");
  details.env = read::texts(fields, "Env");
  details.entrypoint = read::texts(fields, "Entrypoint");
  details.cmd = read::texts(fields, "Cmd");
  details.user = read::text(fields, "User");
  details.working_dir = read::text(fields, "WorkingDir");
  details.labels = read::text_map(fields, "Labels");
  if (const auto* health = fields.member("Healthcheck")) {
    auto inner = read::fields(*health, "Config.Healthcheck");
    details.healthcheck_test = read::texts(inner, "Test");
    if (auto done = inner.finish(); !done) fields.adopt(done.error());
  }
  if (auto done = fields.finish(); !done) parent.adopt(done.error());
}

void read_layers(json::Fields& parent, ImageDetails& details) {
  const auto* root = parent.member("RootFS");
  if (root == nullptr) return;
  auto fields = read::fields(*root, "RootFS");
  details.layers = read::texts(fields, "Layers");
  if (auto done = fields.finish(); !done) parent.adopt(done.error());
}

ImageStep step_of(json::Fields& fields) {
  ImageStep step;
  step.id = read::text(fields, "Id");
  if (!valid_image_id(step.id)) step.id.clear();
  step.created = read::time_of(read::integer(fields, "Created"));
  step.created_by = read::text(fields, "CreatedBy");
  step.comment = read::text(fields, "Comment");
  step.size_bytes = read::integer(fields, "Size");
  step.tags = names_in(fields, "Tags");
  return step;
}

/// Answers each item of the array that `request` is answered with, as `item` reads it.
template <class Item>
async::task<Result<std::vector<Item>>> items_of(Client& client, Request request,
                                                Item (*item)(json::Fields&)) {
  request.answer_max = list_max;
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  const auto* values = answer->if_array();
  if (values == nullptr) {
    co_return fail(read::malformed(doing, json::field_error("body", "must be an array")));
  }
  std::vector<Item> items;
  for (const auto& value : *values) {
    auto fields = read::fields(value, "");
    items.push_back(item(fields));
    if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  }
  co_return items;
}

/// What the engine says of one removal: `[{"Untagged": …}, {"Deleted": …}]`.
Result<RemovedImage> removed_of(const Doing& doing, const json::Value& answer) {
  RemovedImage removed;
  const auto* values = answer.if_array();
  if (values == nullptr) {
    return fail(read::malformed(doing, json::field_error("body", "must be an array")));
  }
  for (const auto& value : *values) {
    auto fields = read::fields(value, "");
    if (auto name = read::text(fields, "Untagged"); !name.empty()) {
      removed.untagged.push_back(std::move(name));
    }
    if (auto id = read::text(fields, "Deleted"); !id.empty()) {
      removed.deleted.push_back(std::move(id));
    }
    if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  }
  return removed;
}

}  // namespace

async::task<Result<std::vector<ImageSummary>>> list_images(Client& client, ImageScope scope) {
  Request request;
  request.doing = {"list", "images", ""};
  request.path = {"images", "json"};
  if (scope == ImageScope::all) request.query = {{"all", "1"}};
  return items_of(client, std::move(request), &summary_of);
}

async::task<Result<std::vector<ImageStep>>> image_history(Client& client, std::string image) {
  Request request;
  request.doing = {"read the history of", "image", image};
  if (auto valid = check_image(request.doing, image); !valid) co_return fail(valid.error());
  request.path = {"images", std::move(image), "history"};
  co_return co_await items_of(client, std::move(request), &step_of);
}

async::task<Result<ImageDetails>> inspect_image(Client& client, std::string image) {
  Request request;
  request.doing = {"inspect", "image", image};
  if (auto valid = check_image(request.doing, image); !valid) co_return fail(valid.error());
  request.path = {"images", std::move(image), "json"};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  ImageDetails details;
  details.id = read::text(fields, "Id");
  details.tags = names_in(fields, "RepoTags");
  details.digests = names_in(fields, "RepoDigests");
  details.created = read::text(fields, "Created");
  details.author = read::text(fields, "Author");
  details.os = read::text(fields, "Os");
  details.architecture = read::text(fields, "Architecture");
  details.size_bytes = read::integer(fields, "Size");
  read_config(fields, details);
  read_layers(fields, details);
  if (!valid_image_id(details.id)) fields.refuse("Id", "must be an image's id");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return details;
}

async::task<Result<>> pull_image(Client& client, ImageReference reference,
                                 std::optional<RegistryAuth> auth, OnPullProgress on_progress) {
  Request request;
  request.doing = {"pull", "image", reference.familiar()};
  request.method = "POST";
  request.path = {"images", "create"};
  // With both, the digest decides; the engine takes it in the tag's place.
  const auto& version = reference.digest().empty() ? reference.tag() : reference.digest();
  request.query = {{"fromImage", reference.familiar_name()}, {"tag", version}};
  if (auth) request.headers.set("X-Registry-Auth", auth_header(*auth));
  auto doing = request.doing;
  auto response = co_await client.stream(std::move(request));
  if (!response) co_return fail(std::move(response.error()));
  co_return co_await follow(std::move(doing), std::move(*response), pull_silence_max,
                            std::move(on_progress));
}

async::task<Result<std::string>> import_image(Client& client, ImageReference reference, Source tar,
                                              std::vector<std::string> changes) {
  Request request;
  request.doing = {"import", "image", reference.familiar()};
  request.method = "POST";
  request.path = {"images", "create"};
  request.query = {{"fromSrc", "-"}, {"repo", reference.familiar_name()}, {"tag", reference.tag()}};
  for (auto& change : changes) request.query.emplace_back("changes", std::move(change));
  request.headers.set("Content-Type", "application/x-tar");
  auto doing = request.doing;
  auto plain = co_await uncompressed(doing, std::move(tar));
  if (!plain) co_return fail(std::move(plain.error()));
  auto response = co_await client.upload(std::move(request), std::move(*plain));
  if (!response) co_return fail(std::move(response.error()));
  co_return co_await imported_id(std::move(doing), std::move(*response));
}

async::task<Result<>> tag_image(Client& client, std::string image, ImageReference reference) {
  Request request;
  request.doing = {"tag", "image", image};
  if (auto valid = check_image(request.doing, image); !valid) co_return valid;
  request.method = "POST";
  request.path = {"images", std::move(image), "tag"};
  request.query = {{"repo", reference.familiar_name()}, {"tag", reference.tag()}};
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

async::task<Result<RemovedImage>> remove_image(Client& client, std::string image, RemoveImage how,
                                               UntaggedParents parents) {
  Request request;
  request.doing = {"remove", "image", image};
  if (auto valid = check_image(request.doing, image); !valid) co_return fail(valid.error());
  request.method = "DELETE";
  request.path = {"images", std::move(image)};
  if (how == RemoveImage::force) request.query.emplace_back("force", "1");
  if (parents == UntaggedParents::keep) request.query.emplace_back("noprune", "1");
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return removed_of(doing, *answer);
}

}  // namespace gantry::engine
