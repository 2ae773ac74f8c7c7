#include "engine/volumes.hpp"

#include "engine/filters.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"
#include "engine/write.hpp"

namespace gantry::engine {
namespace {

using write::object_of;

constexpr Bytes list_max{64U << 20U};

Result<Volume> volume_of(const Doing& doing, const json::Value& value) {
  auto fields = read::fields(value, "");
  Volume volume;
  volume.name = read::text(fields, "Name");
  volume.driver = read::text(fields, "Driver");
  volume.created = read::text(fields, "CreatedAt");
  volume.mountpoint = read::text(fields, "Mountpoint");
  volume.scope = read::text(fields, "Scope");
  volume.labels = read::text_map(fields, "Labels");
  volume.options = read::text_map(fields, "Options");
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  return volume;
}

async::task<Result<Volume>> one(Client& client, Request request) {
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return volume_of(doing, *answer);
}

}  // namespace

async::task<Result<Volume>> create_volume(Client& client, VolumeSpec spec) {
  Request request;
  request.doing = {"create", "volume", spec.name};
  if (!spec.name.empty()) {
    if (auto valid = check_volume(request.doing, spec.name); !valid) co_return fail(valid.error());
  }
  request.method = "POST";
  request.path = {"volumes", "create"};
  json::Object body{{"Name", spec.name}, {"Labels", object_of(spec.labels)}};
  if (spec.driver != "local") body["Driver"] = spec.driver;
  if (!spec.options.empty()) body["DriverOpts"] = object_of(spec.options);
  request.body = std::move(body);
  co_return co_await one(client, std::move(request));
}

async::task<Result<Volume>> create_volume(Client& client, std::string name,
                                          std::map<std::string, std::string> labels) {
  return create_volume(client, VolumeSpec{.name = std::move(name), .labels = std::move(labels)});
}

async::task<Result<Volume>> inspect_volume(Client& client, std::string name) {
  Request request;
  request.doing = {"inspect", "volume", name};
  if (auto valid = check_volume(request.doing, name); !valid) co_return fail(valid.error());
  request.path = {"volumes", std::move(name)};
  co_return co_await one(client, std::move(request));
}

async::task<Result<std::vector<Volume>>> list_volumes(Client& client, LabelFilters labels) {
  Request request;
  request.doing = {"list", "volumes", ""};
  request.path = {"volumes"};
  request.answer_max = list_max;
  if (!labels.empty()) request.query = {{"filters", filters({{"label", labels}})}};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  std::vector<Volume> volumes;
  if (const auto* items = fields.array("Volumes", SIZE_MAX)) {
    for (const auto& item : *items) {
      auto volume = volume_of(doing, item);
      if (!volume) co_return fail(std::move(volume.error()));
      volumes.push_back(std::move(*volume));
    }
  }
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return volumes;
}

async::task<Result<>> remove_volume(Client& client, std::string name) {
  Request request;
  request.doing = {"remove", "volume", name};
  if (auto valid = check_volume(request.doing, name); !valid) co_return valid;
  request.method = "DELETE";
  request.path = {"volumes", std::move(name)};
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

}  // namespace gantry::engine
