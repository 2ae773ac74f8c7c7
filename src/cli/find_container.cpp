#include "cli/find_container.hpp"

#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "cli/ps.hpp"
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
constexpr std::size_t whole_id = 64;
// A beginning of an id that is shorter is none where something has it as its name: `db`, `fe`.
constexpr std::size_t id_beginning_min = 4;

std::string places_of(const std::vector<FoundContainer>& found) {
  std::vector<std::string> places;
  for (const auto& one : found) {
    if (places.size() == told_max) break;
    places.push_back(fmt::format("{} on '{}'", text::one_line(one.name), one.host));
  }
  return fmt::format("{}{}", fmt::join(places, ", "), found.size() > told_max ? ", …" : "");
}

/// `it may be on host 'nas', which is away: 'gantry hosts doctor nas' says why`.
std::string may_be_on(std::vector<std::string> away) {
  bool one = away.size() == 1;
  auto first = away.front();
  bool more = away.size() > told_max;
  if (more) away.resize(told_max);
  return fmt::format("it may be on {} '{}'{}, which {} away: 'gantry hosts doctor {}' says why",
                     one ? "host" : "hosts", fmt::join(away, "', '"), more ? ", …" : "",
                     one ? "is" : "are", first);
}

/// `alike`: what has the word in its name; `away`: hosts whose containers are not known to be so.
Error none(const std::string& word, const std::vector<FoundContainer>& alike,
           const std::vector<std::string>& away) {
  std::vector<std::string> remedies;
  if (!alike.empty()) remedies.push_back(fmt::format("there is {}", places_of(alike)));
  if (!away.empty()) remedies.push_back(may_be_on(away));
  if (remedies.empty()) remedies.emplace_back("'gantry ps' lists those there are");
  return {ErrorKind::not_found, "no_such_container",
          fmt::format("cannot find container '{}'", text::one_line(word)),
          fmt::format("{}", fmt::join(remedies, "; "))};
}

Error not_one(const std::string& word, const std::vector<FoundContainer>& found,
              const std::vector<FoundContainer>& alike, const std::vector<std::string>& away) {
  if (found.empty()) return none(word, alike, away);
  return {ErrorKind::conflict, "ambiguous_container",
          fmt::format("cannot tell which container '{}' is: it may be {}", text::one_line(word),
                      places_of(found)),
          "name its host with --host, or its whole id"};
}

/// A whole id is an id; anything else may be either. Whoever names a container of theirs like the
/// id of another does not get what is meant for that one: both are in question then.
std::vector<FoundContainer> meant(const std::string& word, std::vector<FoundContainer> named,
                                  const std::vector<FoundContainer>& begun) {
  if (named.empty() || (word.size() == whole_id && !begun.empty())) return begun;
  if (word.size() < id_beginning_min) return named;
  for (const auto& one : begun) {
    if (one.name != word) named.push_back(one);
  }
  return named;
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
  std::vector<FoundContainer> alike;
  if (const auto* items = fields.array("items", items_max)) {
    for (const auto& item : *items) {
      json::Fields one{item, "items", json::Keys::tolerant};
      FoundContainer found{one.text("host").value_or(""), one.required_text("id"),
                           one.text("name").value_or("")};
      if (found.name.find(word) != std::string::npos) alike.push_back(found);
      if (found.id.starts_with(word)) begun.push_back(found);
      if (found.name == word) named.push_back(found);
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  auto found = meant(word, named, begun);
  if (found.size() != 1) return fail(not_one(word, found, alike, names_of_away_hosts(answer)));
  return found.front();
}

async::task<Result<FoundContainer>> find_container(ApiClient& server, std::string host,
                                                   std::string word) {
  // Every name has it, and every id begins with it.
  if (word.empty()) {
    co_return fail(ErrorKind::invalid, "bad_usage", "cannot find a container without a name",
                   "'gantry ps' lists those there are");
  }
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

Error by_name(Error error, const FoundContainer& container) {
  for (auto* text : {&error.message, &error.remedy}) {
    for (auto at = text->find(container.id); !container.id.empty() && at != text->npos;
         at = text->find(container.id, at + container.name.size())) {
      text->replace(at, container.id.size(), text::one_line(container.name));
    }
  }
  return error;
}

async::task<Result<std::string>> project_host(ApiClient& server, std::string project) {
  auto answer =
      co_await whole_list(server, fmt::format("find project '{}'", project), "/api/v1/projects");
  if (!answer) co_return fail(answer.error());
  json::Fields fields{*answer, "", json::Keys::tolerant};
  std::vector<std::string> hosts;
  if (const auto* items = fields.array("items", items_max)) {
    for (const auto& item : *items) {
      json::Fields one{item, "items", json::Keys::tolerant};
      if (one.text("name") == project) hosts.push_back(one.text("host").value_or(""));
    }
  }
  if (hosts.size() == 1) co_return hosts.front();
  auto name = text::one_line(project);
  if (hosts.empty()) {
    co_return fail(ErrorKind::not_found, "no_such_project",
                   fmt::format("cannot find project '{}'", name),
                   "'gantry projects list' lists those there are");
  }
  co_return fail(ErrorKind::conflict, "ambiguous_project",
                 fmt::format("cannot tell which project '{}' is: hosts '{}' have one", name,
                             fmt::join(hosts, "', '")),
                 "name one with --host");
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
