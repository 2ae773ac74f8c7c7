#include "cli/api_client.hpp"
#include "cli/find_container.hpp"
#include "cli/testing_fake.hpp"

#include <charconv>

#include <fmt/format.h>
#include <gtest/gtest.h>

// A word that fits more containers than one page of the list holds.
namespace gantry::cli {
namespace {

constexpr std::size_t pages = 3;

json::Object container(std::string_view host, std::string id, std::string_view name) {
  id.resize(64, '0');
  return {{"host", host}, {"id", id}, {"name", name}};
}

/// One page: those that are meant by name or id stand on different ones.
json::Object page(std::size_t number) {
  json::Array items;
  for (int i = 0; i < 200; ++i) {
    items.push_back(
        container("a", fmt::format("f{}{:03}", number, i), fmt::format("web-{}-{}", number, i)));
  }
  if (number == 0) items.push_back(container("a", "abc1", "api"));
  if (number == 1) items.push_back(container("b", "abc2", "web"));
  if (number == 2) items.push_back(container("c", "abc3", "api"));
  json::Value next;
  if (number + 1 < pages) next = std::to_string(number + 1);
  return {{"items", std::move(items)}, {"next", std::move(next)}};
}

async::task<void> answer(net::http::Exchange& exchange) {
  const auto& target = exchange.request().target;
  auto at = target.find("cursor=");
  std::size_t number = 0;
  if (at != target.npos) std::from_chars(&target[at + 7], target.data() + target.size(), number);
  co_await exchange.respond({200, {{"Content-Type", "application/json"}}},
                            json::serialize(page(number)));
}

Result<FoundContainer> find(std::string word) {
  TestRemote remote{&answer};
  auto client = value_or_throw(ApiClient::open(remote.context(), remote.access()));
  return remote.run(find_container(*client, {}, std::move(word)));
}

TEST(CrowdedContainers, ANameIsFoundOnWhicheverPageItStands) {
  auto found = find("web");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->host, "b");
}

TEST(CrowdedContainers, TheSameNameOnALaterPageMakesItUnclear) {
  EXPECT_EQ(find("api").error().code, "ambiguous_container");
}

TEST(CrowdedContainers, AnIdThatBeginsSoOnALaterPageMakesItUnclear) {
  EXPECT_EQ(find("abc").error().code, "ambiguous_container");
  EXPECT_EQ(value_or_throw(find("abc3")).host, "c");
}

}  // namespace
}  // namespace gantry::cli
