#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "api/host_prune.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>

#include <fmt/format.h>

// One image of a host: what is in it, its names, and its end. Pulling is in host_pull.cpp.
namespace gantry::api {
namespace {

/// The id in the path, with its `sha256:` or without; not_found when it can be none.
Result<std::string> image_id(const Call& call, const fleet::Host& host) {
  auto id = call.part.starts_with("sha256:") ? call.part : "sha256:" + call.part;
  if (engine::valid_image_id(id)) return id;
  return fail(no_such("image", call.part, host));
}

/// An image that is not there is told as one that may not be seen.
Error told(Error error, const Call& call, const fleet::Host& host) {
  return error.kind == ErrorKind::not_found ? no_such("image", call.part, host) : error;
}

json::Array env_json(const std::vector<std::string>& env) {
  json::Array out;
  for (const auto& entry : env) {
    auto equals = entry.find('=');
    auto name = std::string_view{entry}.substr(0, equals);
    bool secret = equals != std::string::npos && text::names_secret(name);
    out.push_back(secret ? json::Value(fmt::format("{}={}", text::one_line(name), text::mask))
                         : line_json(text::without_url_password(entry)));
  }
  return out;
}

json::Array history_json(const std::vector<engine::ImageStep>& steps) {
  json::Array out;
  for (const auto& step : steps) {
    out.push_back(json::Object{{"created_at", rfc3339(step.created)},
                               {"created_by", line_json(step.created_by)},
                               {"comment", line_json(step.comment)},
                               {"size_bytes", step.size_bytes},
                               {"tags", lines_json(step.tags)}});
  }
  return out;
}

json::Object image_json(const engine::ImageDetails& image) {
  return {{"id", image.id},
          {"tags", lines_json(image.tags)},
          {"digests", lines_json(image.digests)},
          {"created", line_json(image.created)},
          {"author", line_json(image.author)},
          {"os", line_json(image.os)},
          {"architecture", line_json(image.architecture)},
          {"size_bytes", image.size_bytes},
          {"layers", lines_json(image.layers)},
          {"exposed_ports", lines_json(image.exposed_ports)},
          {"volumes", lines_json(image.volumes)},
          {"env", env_json(image.env)},
          {"entrypoint", lines_json(image.entrypoint)},
          {"command", lines_json(image.cmd)},
          {"user", line_json(image.user)},
          {"working_dir", line_json(image.working_dir)},
          {"healthcheck", lines_json(image.healthcheck_test)},
          {"labels", labels_json(image.labels)}};
}

Result<engine::ImageReference> read_name(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  auto text = fields.required_text("reference", {1, 512});
  if (auto read = fields.finish(); !read) return fail(read.error());
  auto reference = engine::ImageReference::parse(text);
  if (!reference) return fail(json::field_error("reference", "must be an image's name"));
  if (!reference->digest().empty()) {
    return fail(json::field_error("reference", "must be a name and a tag, without a digest"));
  }
  return reference;
}

async::task<Result<std::vector<fleet::Prunable>>> plan_images(HostPointer host,
                                                              fleet::PruneWish wish) {
  auto uses = co_await engine::container_uses(host->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto images = co_await engine::list_images(host->engine(), engine::ImageScope::all);
  if (!images) co_return fail(std::move(images.error()));
  co_return fleet::prunable_images(*images, *uses, wish);
}

async::task<Result<>> remove_planned(HostPointer host, fleet::Prunable item) {
  auto names = item.names.empty() ? std::vector{item.id} : item.names;
  for (const auto& name : names) {
    // Untagged parents stand in the plan by themselves: what is not in it must stay.
    auto removed = co_await engine::remove_image(
        host->engine(), name, engine::RemoveImage::unless_used, engine::UntaggedParents::keep);
    if (!removed) co_return fail(std::move(removed.error()));
  }
  co_return ok;
}

constexpr PruneKind images{.thing = "image",
                           .nameless = "untagged",
                           .unused = "unused",
                           .kept_label = sandbox::labels::recipe,
                           .plan = &plan_images,
                           .remove = &remove_planned};

struct Removal {
  std::optional<std::string> name;  ///< Only this one of its names.
  engine::RemoveImage how = engine::RemoveImage::unless_used;
};

Result<Removal> read_removal(Call& call) {
  Removal removal{.name = call.query.text("name")};
  if (call.query.boolean("force").value_or(false)) removal.how = engine::RemoveImage::force;
  if (auto read = call.query.finish(); !read) return fail(read.error());
  return removal;
}

Result<> check_removal(const engine::ImageDetails& image, const Removal& removal) {
  if (removal.name) {
    if (std::ranges::find(image.tags, *removal.name) != image.tags.end()) return ok;
    return fail(json::field_error("name", "must be one of the image's names"));
  }
  if (image.tags.size() < 2 || removal.how == engine::RemoveImage::force) return ok;
  return fail(ErrorKind::conflict, "image_has_names",
              fmt::format("cannot remove image '{}': it has {} names", image.tags.front(),
                          image.tags.size()),
              "say which 'name' shall go, or 'force' for all of them");
}

/// Refused (conflict) with the names of the containers, when taking this away would take the image
/// from them.
async::task<Result<>> check_unused(Call& call, HostPointer host,
                                   const engine::ImageDetails& image) {
  auto uses = co_await engine::container_uses(host->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto users = fleet::users_of_image(*uses, image.id, may_tell(call, *host));
  if (users.nobody()) co_return ok;
  auto name = image.tags.empty() ? image.id : image.tags.front();
  co_return fail(fleet::in_use("image", name, host->name(), users));
}

}  // namespace

Answer get_host_image(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = host_for(call, access::Role::viewer);
  if (!host) co_return fail(std::move(host.error()));
  auto id = image_id(call, **host);
  if (!id) co_return fail(std::move(id.error()));
  auto image = co_await engine::inspect_image((*host)->engine(), *id);
  if (!image) co_return fail(told(std::move(image.error()), call, **host));
  auto steps = co_await engine::image_history((*host)->engine(), *id);
  if (!steps) co_return fail(told(std::move(steps.error()), call, **host));
  auto uses = co_await engine::container_uses((*host)->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto answer = image_json(*image);
  answer["history"] = history_json(*steps);
  answer["used_by"] = used_by_json(fleet::users_of_image(*uses, image->id, may_tell(call, **host)));
  co_return json_reply(200, answer);
}

Answer tag_host_image(Call& call) {
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto id = image_id(call, **host);
  if (!id) co_return fail(std::move(id.error()));
  auto reference = co_await read_json(call, &read_name);
  if (!reference) co_return fail(std::move(reference.error()));
  auto change = operation(call, **host, "image.tag", *id, {{"reference", reference->familiar()}});
  auto tagged = co_await call.services.operations.run(
      std::move(change), engine::tag_image((*host)->engine(), *id, *reference));
  if (!tagged) co_return fail(told(std::move(tagged.error()), call, **host));
  co_return json_reply(200, json::Object{{"id", *id}, {"reference", reference->familiar()}});
}

Answer remove_host_image(Call& call) {
  auto removal = read_removal(call);
  if (!removal) co_return fail(std::move(removal.error()));
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto id = image_id(call, **host);
  if (!id) co_return fail(std::move(id.error()));
  auto image = co_await engine::inspect_image((*host)->engine(), *id);
  if (!image) co_return fail(told(std::move(image.error()), call, **host));
  if (auto can = check_removal(*image, *removal); !can) co_return fail(can.error());
  // Another name only: whoever uses the image keeps it.
  bool last = !removal->name || image->tags.size() < 2;
  if (last && removal->how == engine::RemoveImage::unless_used) {
    auto unused = co_await check_unused(call, *host, *image);
    if (!unused) co_return fail(std::move(unused.error()));
  }
  auto change = operation(call, **host, "image.remove", *id,
                          {{"name", removal->name.value_or("")},
                           {"force", removal->how == engine::RemoveImage::force}});
  auto removed = co_await call.services.operations.run(
      std::move(change),
      engine::remove_image((*host)->engine(), removal->name.value_or(*id), removal->how));
  if (!removed) co_return fail(told(std::move(removed.error()), call, **host));
  co_return json_reply(200, json::Object{{"untagged", lines_json(removed->untagged)},
                                         {"deleted", lines_json(removed->deleted)}});
}

Answer prune_host_images(Call& call) { return prune(call, images); }

}  // namespace gantry::api
