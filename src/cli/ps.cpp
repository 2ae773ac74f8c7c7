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

/// `cause; remedy` of why a host is away; empty: it is not told.
std::string why_of(const json::Value* error) {
  if (error == nullptr || !error->is_object()) return {};
  json::Fields fields{*error, "error", json::Keys::tolerant};
  Error told{.message = fields.text("detail").value_or(""),
             .remedy = fields.text("remedy").value_or("")};
  return text::one_line(told.sentence());
}

/// Nothing while what is shown of a host is true.
std::optional<std::string> away_name(const json::Value& value) {
  json::Fields host{value, "hosts", json::Keys::tolerant};
  if (!host.boolean("stale").value_or(false)) return std::nullopt;
  return text::one_line(host.text("name").value_or(""));
}

/// Likewise.
std::optional<std::string> note_of(const json::Value& value) {
  auto away = away_name(value);
  if (!away) return std::nullopt;
  const auto& name = *away;
  json::Fields host{value, "hosts", json::Keys::tolerant};
  auto as_of = host.text("as_of");
  auto why = why_of(host.member("error"));
  if (as_of) {
    return fmt::format("host '{}' can not be reached; its containers were so at {}{}{}", name,
                       text::one_line(*as_of), why.empty() ? "" : ": ", why);
  }
  if (why.empty()) why = fmt::format("'gantry hosts test {}' says why", name);
  return fmt::format("host '{}' has not been reached yet: {}", name, why);
}

std::vector<std::string> of_hosts(const json::Value& answer,
                                  std::optional<std::string> (*words)(const json::Value& host)) {
  std::vector<std::string> said;
  json::Fields fields{answer, "", json::Keys::tolerant};
  if (const auto* hosts = fields.array("hosts", hosts_max)) {
    for (const auto& host : *hosts) {
      if (auto word = words(host)) said.push_back(std::move(*word));
    }
  }
  return said;
}

}  // namespace

std::vector<std::string> away_hosts(const json::Value& answer) { return of_hosts(answer, note_of); }
std::vector<std::string> names_of_away_hosts(const json::Value& answer) {
  return of_hosts(answer, away_name);
}

Result<ContainerView> container_view(const json::Value& answer) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  std::vector<Row> rows;
  ContainerView view;
  if (const auto* items = fields.array("items", containers_max)) {
    for (const auto& item : *items) rows.push_back(row_of(item));
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  for (auto& note : away_hosts(answer)) view.notes.push_back("stale: " + std::move(note));
  view.table = table({"HOST", "ID", "NAME", "IMAGE", "STATUS", "PORTS"}, rows);
  return view;
}

}  // namespace gantry::cli
