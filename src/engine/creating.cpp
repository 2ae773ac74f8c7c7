#include "engine/creating.hpp"

#include "engine/names.hpp"
#include "engine/read.hpp"

namespace gantry::engine {

json::Object mount_json(const VolumeMount& mount) {
  return {{"Type", "volume"},
          {"Source", mount.volume},
          {"Target", mount.target},
          {"ReadOnly", mount.read_only},
          {"VolumeOptions", json::Object{{"NoCopy", mount.no_copy}}}};
}

async::task<Result<CreatedContainer>> create_serialised(Client& client, std::string name,
                                                        json::Value body) {
  Request request;
  request.doing = {"create", "container", name};
  if (!name.empty()) {
    if (auto valid = check_container(request.doing, name); !valid) co_return fail(valid.error());
    request.query = {{"name", name}};
  }
  request.method = "POST";
  request.path = {"containers", "create"};
  request.body = std::move(body);
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  CreatedContainer created;
  created.id = read::text(fields, "Id");
  created.warnings = read::texts(fields, "Warnings");
  if (!valid_id(created.id)) fields.refuse("Id", "must be a container's id");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return created;
}

}  // namespace gantry::engine
