#include "engine/containers.hpp"

#include "engine/creating.hpp"
#include "engine/filters.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Bytes list_max{64U << 20U};

std::optional<std::uint16_t> port_number(json::Fields& fields, std::string_view key) {
  auto number = fields.integer(key, {0, 65'535});
  if (!number) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::vector<Port> ports_of(json::Fields& parent) {
  std::vector<Port> out;
  const auto* items = parent.array("Ports", SIZE_MAX);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto fields = read::fields(item, "Ports");
    Port port;
    port.container_port = port_number(fields, "PrivatePort").value_or(0);
    port.host_port = port_number(fields, "PublicPort");
    port.host_ip = read::text(fields, "IP");
    port.protocol = read::text(fields, "Type");
    if (auto done = fields.finish(); !done) parent.adopt(done.error());
    out.push_back(std::move(port));
  }
  return out;
}

Result<ContainerSummary> summary_of(const json::Value& item) {
  auto fields = read::fields(item, "");
  ContainerSummary summary;
  summary.id = read::text(fields, "Id");
  summary.names = read::texts(fields, "Names");
  for (auto& name : summary.names) {
    if (name.starts_with('/')) name.erase(0, 1);
  }
  summary.image = read::text(fields, "Image");
  summary.image_id = read::text(fields, "ImageID");
  summary.state = read::text(fields, "State");
  summary.status = read::text(fields, "Status");
  summary.created = read::time_of(read::integer(fields, "Created"));
  summary.ports = ports_of(fields);
  summary.labels = read::text_map(fields, "Labels");
  if (!valid_id(summary.id)) fields.refuse("Id", "must be a container's id");
  if (auto done = fields.finish(); !done) return fail(done.error());
  return summary;
}

async::task<Result<std::vector<ContainerSummary>>> list(Client& client, Request request) {
  auto doing = request.doing;
  request.path = {"containers", "json"};
  request.answer_max = list_max;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  const auto* items = answer->if_array();
  if (items == nullptr) {
    co_return fail(read::malformed(doing, json::field_error("body", "must be an array")));
  }
  std::vector<ContainerSummary> summaries;
  summaries.reserve(items->size());
  for (const auto& item : *items) {
    auto summary = summary_of(item);
    if (!summary) co_return fail(read::malformed(doing, summary.error()));
    summaries.push_back(std::move(*summary));
  }
  co_return summaries;
}

/// `POST /containers/{container}/{action}`: most of what can be done to a container.
struct Action {
  std::string verb;
  std::string container;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query = {};
  Milliseconds patience{60'000};
};

async::task<Result<>> act(Client& client, Action action) {
  Request request;
  request.doing = {action.verb, "container", action.container};
  if (auto valid = check_container(request.doing, action.container); !valid) co_return valid;
  request.method = "POST";
  request.path = {"containers", action.container, action.path};
  request.query = std::move(action.query);
  request.patience = action.patience;
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

/// How long an engine may take beyond the grace it gives a program.
Milliseconds patience_for(Seconds grace) { return Milliseconds{grace} + Seconds{60}; }

bool valid_signal(std::string_view text) {
  return !text.empty() && text.size() <= 16 && valid_name(text);
}

}  // namespace

async::task<Result<std::vector<ContainerSummary>>> list_containers(Client& client, ListScope scope,
                                                                   LabelFilters labels) {
  Request request;
  request.doing = {"list", "containers", ""};
  if (scope == ListScope::all) request.query.emplace_back("all", "1");
  if (!labels.empty()) request.query.emplace_back("filters", filters({{"label", labels}}));
  co_return co_await list(client, std::move(request));
}

async::task<Result<ContainerSummary>> list_container(Client& client, std::string id) {
  Request request;
  request.doing = {"look up", "container", id};
  if (auto valid = check_container(request.doing, id); !valid) co_return fail(valid.error());
  request.query = {{"all", "1"}, {"filters", filters({{"id", {id}}})}};
  auto found = co_await list(client, std::move(request));
  if (!found) co_return fail(std::move(found.error()));
  // The engine's filter takes prefixes.
  for (auto& summary : *found) {
    if (summary.id == id) co_return std::move(summary);
  }
  co_return fail(ErrorKind::not_found, "engine_not_found",
                 fmt::format("cannot look up container '{}': there is none", id));
}

async::task<Result<CreatedContainer>> create_container(Client& client, std::string name,
                                                       const ContainerSpec& spec) {
  if (auto valid = check(spec); !valid) co_return fail(valid.error());
  co_return co_await create_serialised(client, std::move(name), to_json(spec));
}

async::task<Result<>> start_container(Client& client, std::string container) {
  return act(client, {.verb = "start", .container = std::move(container), .path = "start"});
}

async::task<Result<>> stop_container(Client& client, std::string container, Seconds grace) {
  return act(client, {.verb = "stop",
                      .container = std::move(container),
                      .path = "stop",
                      .query = {{"t", std::to_string(grace.count())}},
                      .patience = patience_for(grace)});
}

async::task<Result<>> restart_container(Client& client, std::string container, Seconds grace) {
  return act(client, {.verb = "restart",
                      .container = std::move(container),
                      .path = "restart",
                      .query = {{"t", std::to_string(grace.count())}},
                      .patience = patience_for(grace)});
}

async::task<Result<>> kill_container(Client& client, std::string container, std::string signal) {
  if (!valid_signal(signal)) {
    co_return fail(ErrorKind::invalid, "invalid_signal",
                   fmt::format("cannot kill container: this is no signal"),
                   "use a name such as SIGTERM or a number");
  }
  Action action{.verb = "kill", .container = std::move(container), .path = "kill"};
  action.query = {{"signal", std::move(signal)}};
  co_return co_await act(client, std::move(action));
}

async::task<Result<>> pause_container(Client& client, std::string container) {
  return act(client, {.verb = "pause", .container = std::move(container), .path = "pause"});
}

async::task<Result<>> unpause_container(Client& client, std::string container) {
  return act(client, {.verb = "unpause", .container = std::move(container), .path = "unpause"});
}

async::task<Result<>> rename_container(Client& client, std::string container, std::string name) {
  Doing doing{"rename", "container to", name};
  if (auto valid = check_container(doing, name); !valid) co_return valid;
  Action action{.verb = "rename", .container = std::move(container), .path = "rename"};
  action.query = {{"name", std::move(name)}};
  co_return co_await act(client, std::move(action));
}

async::task<Result<>> remove_container(Client& client, std::string container,
                                       RemoveOptions options) {
  Request request;
  request.doing = {"remove", "container", container};
  if (auto valid = check_container(request.doing, container); !valid) co_return valid;
  request.method = "DELETE";
  request.path = {"containers", container};
  if (options.force) request.query.emplace_back("force", "1");
  if (options.volumes) request.query.emplace_back("v", "1");
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

async::task<Result<std::vector<std::string>>> update_container(Client& client,
                                                               std::string container,
                                                               ResourceUpdate update) {
  Request request;
  request.doing = {"update", "container", container};
  if (auto valid = check_container(request.doing, container); !valid) {
    co_return fail(valid.error());
  }
  request.method = "POST";
  request.path = {"containers", container, "update"};
  json::Object body;
  if (update.memory_bytes) body["Memory"] = *update.memory_bytes;
  if (update.memory_swap_bytes) body["MemorySwap"] = *update.memory_swap_bytes;
  if (update.nano_cpus) body["NanoCpus"] = *update.nano_cpus;
  if (update.pids_limit) body["PidsLimit"] = *update.pids_limit;
  if (update.cpu_shares) body["CpuShares"] = *update.cpu_shares;
  if (update.restart) {
    body["RestartPolicy"] = json::Object{{"Name", update.restart->name},
                                         {"MaximumRetryCount", update.restart->retries_max}};
  }
  request.body = std::move(body);
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  auto warnings = read::texts(fields, "Warnings");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return warnings;
}

}  // namespace gantry::engine
