#include "api/containers.hpp"
#include "api/json_text.hpp"
#include "api/mcp.hpp"
#include "api/read.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

// The tools that are about the containers of all hosts.
namespace gantry::api::mcp {
namespace {

constexpr std::int64_t usual_lines = 200;
constexpr std::int64_t lines_max = 2'000;
/// How much of a log is passed on, and how much of it is read to get there.
constexpr std::size_t log_bytes_max = 256U << 10U;
constexpr std::size_t read_bytes_max = 64U << 20U;
constexpr Milliseconds read_deadline{30'000};
constexpr std::size_t shortest_id = 12;
constexpr std::size_t containers_max = 1'000;

struct LogArguments {
  std::optional<std::string> host;
  std::string container;
  engine::LogOptions options;
};

Result<LogArguments> read_arguments(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  LogArguments arguments;
  arguments.host = fields.text("host", {1, 63});
  arguments.container = fields.required_text("container", {1, 255});
  auto lines = fields.integer("tail", {1, lines_max}).value_or(usual_lines);
  arguments.options.tail_lines = static_cast<std::uint32_t>(lines);
  arguments.options.timestamps = fields.boolean("timestamps").value_or(false);
  if (auto since = fields.text("since", {1, 64})) {
    arguments.options.since = parse_rfc3339(*since);
    if (!arguments.options.since)
      fields.refuse("since", "must be a time like 2026-01-31T12:00:00Z");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return arguments;
}

bool is_called(const fleet::Container& container, std::string_view text) {
  return container.name == text || container.id == text ||
         (text.size() >= shortest_id && container.id.starts_with(text));
}

/// A container whose log may be read.
struct Readable {
  std::shared_ptr<fleet::Host> host;
  std::string id;
  std::string name;
};

std::vector<Readable> containers_called(Call& call, const LogArguments& wanted) {
  std::vector<Readable> found;
  auto rights = call.rights();
  for (const auto& host : call.services.fleet.hosts()) {
    const auto& config = host->config();
    if (wanted.host && config.name != *wanted.host) continue;
    for (const auto& one : host->view().containers) {
      if (!is_called(one, wanted.container)) continue;
      auto role = rights.role_on(config.name, config.groups, one.project.value_or(""));
      if (role && access::includes(*role, access::Role::operator_)) {
        found.push_back({host, one.id, one.name});
      }
    }
  }
  return found;
}

/// What lists do not show, our own sandboxes among it, can not be read either.
Result<Readable> find_container(Call& call, const LogArguments& wanted) {
  auto found = containers_called(call, wanted);
  auto shown = text::shortened(text::one_line(wanted.container), 80);
  if (found.empty()) {
    return fail(ErrorKind::not_found, "no_such_container",
                fmt::format("cannot read the log of container '{}': there is none of that name or "
                            "id",
                            shown),
                "list_containers tells which there are");
  }
  if (found.size() > 1) {
    return fail(
        ErrorKind::conflict, "several_containers",
        fmt::format("cannot read the log of container '{}': there are several of that name", shown),
        "give the host, too");
  }
  return found.front();
}

struct Log {
  std::string text;
  bool truncated = false;
};

async::task<Result<Log>> read_tail(engine::Client& client, std::string id,
                                   engine::LogOptions options) {
  auto details = co_await engine::inspect_container(client, id);
  if (!details) co_return fail(std::move(details.error()));
  auto framing = details->settings.tty ? engine::Framing::raw : engine::Framing::multiplexed;
  auto stream = co_await engine::container_logs(client, std::move(id), framing, options);
  if (!stream) co_return fail(std::move(stream.error()));
  Log log;
  std::size_t seen = 0;
  while (auto frame = co_await stream->read(read_deadline)) {
    seen += frame->bytes.size();
    log.text += frame->bytes;
    if (log.text.size() > 2 * log_bytes_max) log.text.erase(0, log.text.size() - log_bytes_max);
    if (seen > read_bytes_max) break;
  }
  log.truncated = seen > log_bytes_max;
  if (log.text.size() > log_bytes_max) log.text.erase(0, log.text.size() - log_bytes_max);
  co_return log;
}

/// What is not UTF-8, the halves of a cut character among it, becomes U+FFFD.
std::string readable(std::string bytes) {
  if (text::valid_utf8(bytes)) return bytes;
  auto value = value_or_throw(json::parse(text::json_quoted(bytes), json::Keys::strict));
  return std::string{std::string_view{value.as_string()}};
}

}  // namespace

ToolAnswer list_containers(ToolCall tool) {
  json::Fields fields{tool.arguments, "", json::Keys::strict};
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  auto hosts = tool.call.services.fleet.hosts();
  fleet::ContainerQuery everything{.limit = containers_max};
  auto rights = tool.call.rights();
  auto page = value_or_throw(fleet::find_containers(hosts, everything, rights));
  ToolOutput output{.structured = containers_json(page, rights), .text = {}};
  output.text = json_text(output.structured);
  co_return output;
}

json::Value read_logs_schema(Call&) {
  return schema_of(R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["container"],
    "properties": {
      "host": {
        "type": "string",
        "description": "The container's host; needed where several hosts have such a container"
      },
      "container": {"type": "string", "description": "Name or id from list_containers"},
      "tail": {
        "type": "integer", "minimum": 1, "maximum": 2000, "default": 200,
        "description": "How many of the last lines; at most 256 KiB of them are passed on"
      },
      "since": {
        "type": "string",
        "description": "Only what was written since, in RFC 3339"
      },
      "timestamps": {"type": "boolean", "default": false}
    }
  })");
}

ToolAnswer read_logs(ToolCall tool) {
  auto wanted = read_arguments(tool.arguments);
  if (!wanted) co_return fail(std::move(wanted.error()));
  auto container = find_container(tool.call, *wanted);
  if (!container) co_return fail(std::move(container.error()));
  auto log = co_await async::with_deadline(
      read_deadline, fmt::format("reading the log of container '{}'", container->name),
      read_tail(container->host->engine(), container->id, wanted->options));
  if (!log) co_return fail(std::move(log.error()));
  auto text = readable(std::move(log->text));
  ToolOutput output{.structured = {{"host", container->host->name()},
                                   {"container", container->id},
                                   {"name", container->name},
                                   {"log", text},
                                   {"truncated", log->truncated}},
                    .text = text};
  if (output.text.empty()) output.text = "(nothing)";
  co_return output;
}

}  // namespace gantry::api::mcp
