#include "cli/find_container.hpp"

#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "cli/whole_list.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::cli {
namespace {

constexpr std::size_t items_max = 10'000;
constexpr std::size_t told_max = 5;
// What was made or renamed a moment ago is in the server's view when its engine has told it.
constexpr int looks_max = 3;
constexpr Milliseconds look_again{250};

Error not_one(const std::string& word, const std::vector<FoundContainer>& found) {
  if (found.empty()) {
    return {ErrorKind::not_found, "no_such_container",
            fmt::format("cannot find container '{}'", text::one_line(word)),
            "'gantry ps' lists those there are"};
  }
  std::vector<std::string> places;
  for (const auto& one : found) {
    if (places.size() == told_max) break;
    places.push_back(fmt::format("{} on '{}'", one.name, one.host));
  }
  return {ErrorKind::conflict, "ambiguous_container",
          fmt::format("cannot tell which container '{}' is: it may be {}{}", text::one_line(word),
                      fmt::join(places, ", "), found.size() > told_max ? ", …" : ""),
          "name its host with --host, or its whole id"};
}

}  // namespace

std::string FoundContainer::path() const {
  return fmt::format("/api/v1/hosts/{}/containers/{}", encoding::percent(host),
                     encoding::percent(id));
}

Result<FoundContainer> choose_container(const json::Value& answer, const std::string& word) {
  json::Fields fields{answer, "", json::Keys::tolerant};
  std::vector<FoundContainer> named;
  std::vector<FoundContainer> begun;
  if (const auto* items = fields.array("items", items_max)) {
    for (const auto& item : *items) {
      json::Fields one{item, "items", json::Keys::tolerant};
      FoundContainer found{one.text("host").value_or(""), one.required_text("id"),
                           one.text("name").value_or("")};
      if (found.name == word) named.push_back(found);
      if (!found.id.empty() && found.id.starts_with(word)) begun.push_back(found);
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  const auto& found = named.empty() ? begun : named;
  if (found.size() != 1) return fail(not_one(word, found));
  return found.front();
}

async::task<Result<FoundContainer>> find_container(ApiClient& server, std::string host,
                                                   std::string word) {
  auto path = fmt::format("/api/v1/containers?limit=200&q={}", encoding::percent(word));
  if (!host.empty()) path += fmt::format("&host={}", encoding::percent(host));
  auto doing = fmt::format("find container '{}'", text::one_line(word));
  for (int look = 1;; ++look) {
    auto answer = co_await whole_list(server, doing, path);
    if (!answer) co_return fail(answer.error());
    auto found = choose_container(*answer, word);
    bool may_come = !found && found.error().kind == ErrorKind::not_found && look < looks_max;
    if (!may_come) co_return found;
    co_await async::pause(look_again);
  }
}

async::task<Result<std::string>> default_host(ApiClient& server) {
  auto answer = co_await server.get("find the default host", "/api/v1/hosts");
  if (!answer) co_return fail(answer.error());
  json::Fields fields{*answer, "", json::Keys::tolerant};
  std::vector<std::string> names;
  if (const auto* items = fields.array("items", items_max)) {
    for (const auto& item : *items) {
      json::Fields host{item, "items", json::Keys::tolerant};
      auto name = host.text("name").value_or("");
      if (host.boolean("default").value_or(false)) co_return name;
      names.push_back(std::move(name));
    }
  }
  if (names.size() == 1) co_return names.front();
  co_return fail(ErrorKind::invalid, "no_default_host",
                 "cannot tell which host is meant: there is no default one",
                 "name one with --host, or choose one with 'gantry hosts default'");
}

}  // namespace gantry::cli
