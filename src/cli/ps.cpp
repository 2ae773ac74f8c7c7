#include "cli/ps.hpp"

#include "cli/api_client.hpp"
#include "cli/interrupt.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::cli {
namespace {

constexpr std::size_t short_id = 12;
constexpr std::size_t containers_max = 100'000;

/// `127.0.0.1:8080->80/tcp`, or `80/tcp` when it is not published.
std::string port_text(const json::Value& value) {
  json::Fields fields{value, "ports", json::Keys::tolerant};
  json::IntegerBounds ports{0, 65535};
  auto inner = fields.integer("private", ports).value_or(0);
  auto outer = fields.integer("public", ports);
  auto address = fields.text("ip").value_or("");
  auto protocol = fields.text("protocol").value_or("tcp");
  if (!outer) return fmt::format("{}/{}", inner, protocol);
  if (address.find(':') != address.npos) address = fmt::format("[{}]", address);
  return fmt::format("{}{}{}->{}/{}", address, address.empty() ? "" : ":", *outer, inner, protocol);
}

Row row_of(const json::Value& value) {
  json::Fields fields{value, "items", json::Keys::tolerant};
  auto text = [&](std::string_view key) { return fields.text(key).value_or(""); };
  std::vector<std::string> ports;
  if (const auto* list = fields.array("ports", 65536)) {
    for (const auto& port : *list) ports.push_back(port_text(port));
  }
  return {text("id").substr(0, short_id), text("name"), text("image"), text("status"),
          fmt::format("{}", fmt::join(ports, ", "))};
}

async::task<Result<int>> list(Context& context, PsCommand command) {
  auto server = ApiClient::open(context, command.server);
  if (!server) co_return fail(server.error());
  auto answer = co_await (*server)->get("list containers", "/api/v1/containers");
  if (!answer) co_return fail(answer.error());
  if (command.format == Format::json) {
    context.terminal.out(json::serialize(*answer) + "\n");
    co_return 0;
  }
  auto view = container_view(*answer);
  if (!view) co_return fail(view.error());
  context.terminal.out(view->table);
  if (!view->note.empty()) context.terminal.say(view->note);
  co_return 0;
}

}  // namespace

Result<ContainerView> container_view(const json::Value& answer) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  std::vector<Row> rows;
  if (const auto* items = fields.array("items", containers_max)) {
    for (const auto& item : *items) rows.push_back(row_of(item));
  }
  auto stale = fields.boolean("stale").value_or(false);
  auto as_of = fields.text("as_of");
  if (auto read = fields.finish(); !read) return fail(read.error());

  ContainerView view{table({"ID", "NAME", "IMAGE", "STATUS", "PORTS"}, rows), {}};
  if (stale && as_of) {
    view.note = fmt::format("stale: the engine can not be reached; this was so at {}", *as_of);
  } else if (stale) {
    view.note = "stale: the engine has not been reached yet; 'gantry version' says why";
  }
  return view;
}

async::task<Result<int>> run(Context& context, PsCommand command) {
  return unless_interrupted(context, list(context, std::move(command)));
}

}  // namespace gantry::cli
