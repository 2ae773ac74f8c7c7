#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "api/host_prune.hpp"
#include "base/text.hpp"
#include "engine/names.hpp"
#include "engine/volumes.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

// One volume of a host.
namespace gantry::api {
namespace {

// What the engine's own driver mounts for a volume. It would mount anything: a folder of the host
// (`o=bind`), a disk of it, an overlay over it. Only what reaches no file of the host is here.
// https://docs.docker.com/engine/storage/volumes/
constexpr std::array<std::string_view, 4> mountable{"tmpfs", "nfs", "nfs4", "cifs"};
constexpr std::array<std::string_view, 40> mount_words{
    "addr",      "vers",     "nfsvers", "minorversion", "proto",    "port",    "mountport",
    "hard",      "soft",     "nolock",  "lock",         "timeo",    "retrans", "rsize",
    "wsize",     "sec",      "intr",    "nointr",       "tcp",      "udp",     "noatime",
    "ro",        "rw",       "size",    "mode",         "uid",      "gid",     "nr_inodes",
    "nosuid",    "nodev",    "noexec",  "username",     "password", "domain",  "iocharset",
    "file_mode", "dir_mode", "nounix",  "noperm",       "user"};

std::unexpected<Error> refuse_option(std::string_view option, std::string_view why) {
  return fail(json::field_error(fmt::format("options.{}", option), why));
}

std::string option(const engine::VolumeSpec& spec, const char* name) {
  auto found = spec.options.find(name);
  return found == spec.options.end() ? std::string{} : found->second;
}

Result<> check_mount_words(std::string_view words) {
  for (auto word : text::split(words, ',')) {
    auto name = word.substr(0, word.find('='));
    if (std::ranges::find(mount_words, name) == mount_words.end()) {
      return refuse_option("o", fmt::format("must not have '{}'", text::one_line(name)));
    }
  }
  return ok;
}

/// A volume is no way to the host's own files: those are for bind mounts, which the policy of new
/// containers judges.
Result<> check_local_options(const engine::VolumeSpec& spec) {
  for (const auto& [name, value] : spec.options) {
    if (name != "type" && name != "device" && name != "o") {
      return refuse_option(text::one_line(name), "is none: there are 'type', 'device' and 'o'");
    }
  }
  if (std::ranges::find(mountable, option(spec, "type")) == mountable.end()) {
    return refuse_option("type", "must be 'tmpfs', 'nfs', 'nfs4' or 'cifs'");
  }
  auto device = option(spec, "device");
  if (device.starts_with('/') && !device.starts_with("//")) {
    return refuse_option("device", "must not be a path of the host");
  }
  if (device.empty()) return refuse_option("device", "must be given");
  return spec.options.contains("o") ? check_mount_words(option(spec, "o")) : ok;
}

Result<engine::VolumeSpec> read_volume(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  engine::VolumeSpec spec;
  spec.name = fields.required_text("name", {1, 128});
  if (!engine::valid_name(spec.name)) {
    fields.refuse("name",
                  "must be letters, digits, '_', '.' and '-', beginning with one of the "
                  "first two");
  }
  if (auto driver = fields.text("driver", {1, 128})) spec.driver = std::move(*driver);
  spec.options = read_options(fields);
  spec.labels = read_labels(fields);
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (spec.driver == "local" && !spec.options.empty()) {
    if (auto fine = check_local_options(spec); !fine) return fail(fine.error());
  }
  return spec;
}

/// Passwords stand inside of `o`: `username=u,password=p`.
std::string masked_words(std::string_view words) {
  std::string out;
  for (auto word : text::split(words, ',')) {
    auto name = word.substr(0, word.find('='));
    if (!out.empty()) out += ',';
    out += text::names_secret(name) ? fmt::format("{}={}", name, text::mask) : std::string{word};
  }
  return out;
}

json::Object options_json(std::map<std::string, std::string> options) {
  if (auto words = options.find("o"); words != options.end()) {
    words->second = masked_words(words->second);
  }
  return labels_json(options);
}

json::Object volume_json(const engine::Volume& volume) {
  return {{"name", line_json(volume.name)},
          {"driver", line_json(volume.driver)},
          {"scope", line_json(volume.scope)},
          {"created", line_json(volume.created)},
          {"mountpoint", line_json(volume.mountpoint)},
          {"anonymous", fleet::is_anonymous_volume(volume)},
          {"options", options_json(volume.options)},
          {"labels", labels_json(volume.labels)}};
}

/// The volume that the path names, for somebody who may do so much to it.
async::task<Result<engine::Volume>> find_volume(Call& call, HostPointer host, access::Role needed) {
  auto hidden = no_such("volume", call.part, *host);
  if (!engine::valid_name(call.part)) co_return fail(std::move(hidden));
  auto volume = co_await engine::inspect_volume(host->engine(), call.part);
  if (!volume && volume.error().kind == ErrorKind::not_found) co_return fail(std::move(hidden));
  if (!volume) co_return volume;
  if (needed != access::Role::viewer) needed = role_to_change(volume->labels, needed);
  auto may = check_role(call, *host, project_in(volume->labels), needed, hidden);
  if (!may) co_return fail(std::move(may.error()));
  co_return volume;
}

async::task<Result<std::vector<fleet::Prunable>>> plan_volumes(HostPointer host,
                                                               fleet::PruneWish wish) {
  auto uses = co_await engine::container_uses(host->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto volumes = co_await engine::list_volumes(host->engine(), {});
  if (!volumes) co_return fail(std::move(volumes.error()));
  co_return fleet::prunable_volumes(*volumes, *uses, wish);
}

async::task<Result<>> remove_planned(HostPointer host, fleet::Prunable item) {
  co_return co_await engine::remove_volume(host->engine(), std::move(item.id));
}

constexpr PruneKind volumes{.thing = "volume",
                            .nameless = "anonymous",
                            .unused = "unused",
                            .kept_label = sandbox::labels::kind,
                            .plan = &plan_volumes,
                            .remove = &remove_planned};

}  // namespace

Answer get_host_volume(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto volume = co_await find_volume(call, *host, access::Role::viewer);
  if (!volume) co_return fail(std::move(volume.error()));
  auto uses = co_await engine::container_uses((*host)->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto answer = volume_json(*volume);
  answer["used_by"] =
      used_by_json(fleet::users_of_volume(*uses, volume->name, may_tell(call, **host)));
  co_return json_reply(200, answer);
}

Answer create_host_volume(Call& call) {
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto spec = co_await read_json(call, &read_volume);
  if (!spec) co_return fail(std::move(spec.error()));
  // Drivers and mounts reach beyond the host, as who the host is.
  if (spec->driver != "local" || !spec->options.empty()) {
    auto may = host_for(call, access::Role::admin);
    if (!may) co_return fail(std::move(may.error()));
  }
  auto there = co_await engine::inspect_volume((*host)->engine(), spec->name);
  if (there) {
    co_return fail(ErrorKind::conflict, "volume_exists",
                   fmt::format("cannot create volume '{}' on '{}': the name is taken", spec->name,
                               (*host)->name()),
                   "take another name");
  }
  auto change = operation(call, **host, "volume.create", spec->name,
                          {{"driver", spec->driver}, {"options", options_json(spec->options)}});
  auto made = co_await call.services.operations.run(
      std::move(change), engine::create_volume((*host)->engine(), std::move(*spec)));
  if (!made) co_return fail(std::move(made.error()));
  co_return json_reply(201, volume_json(*made));
}

Answer remove_host_volume(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto volume = co_await find_volume(call, *host, access::Role::operator_);
  if (!volume) co_return fail(std::move(volume.error()));
  auto uses = co_await engine::container_uses((*host)->engine());
  if (!uses) co_return fail(std::move(uses.error()));
  auto users = fleet::users_of_volume(*uses, volume->name, may_tell(call, **host));
  if (!users.nobody()) {
    co_return fail(fleet::in_use("volume", volume->name, (*host)->name(), users));
  }
  auto removed =
      co_await call.services.operations.run(operation(call, **host, "volume.remove", volume->name),
                                            engine::remove_volume((*host)->engine(), volume->name));
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

Answer prune_host_volumes(Call& call) { return prune(call, volumes); }

}  // namespace gantry::api
