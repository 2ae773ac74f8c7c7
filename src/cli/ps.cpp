#include "cli/ps.hpp"

#include "base/text.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::cli {
namespace {

constexpr std::size_t short_id = 12;
constexpr std::size_t containers_max = 1'000'000;
constexpr std::size_t hosts_max = 10'000;

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
  return {text("host"),   text("id").substr(0, short_id),           text("name"), text("image"),
          text("status"), fmt::format("{}", fmt::join(ports, ", "))};
}

/// Nothing while what is shown of a host is true.
std::optional<std::string> note_of(const json::Value& value) {
  json::Fields host{value, "hosts", json::Keys::tolerant};
  if (!host.boolean("stale").value_or(false)) return std::nullopt;
  auto name = text::one_line(host.text("name").value_or(""));
  auto as_of = host.text("as_of");
  if (!as_of) {
    return fmt::format("stale: host '{}' has not been reached yet; 'gantry hosts test {}' says why",
                       name, name);
  }
  return fmt::format("stale: host '{}' can not be reached; its containers were so at {}", name,
                     *as_of);
}

}  // namespace

Result<ContainerView> container_view(const json::Value& answer) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  std::vector<Row> rows;
  ContainerView view;
  if (const auto* items = fields.array("items", containers_max)) {
    for (const auto& item : *items) rows.push_back(row_of(item));
  }
  if (const auto* hosts = fields.array("hosts", hosts_max)) {
    for (const auto& host : *hosts) {
      if (auto note = note_of(host)) view.notes.push_back(std::move(*note));
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  view.table = table({"HOST", "ID", "NAME", "IMAGE", "STATUS", "PORTS"}, rows);
  return view;
}

}  // namespace gantry::cli
