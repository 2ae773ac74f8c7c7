#include "fleet/query.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <functional>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using access::Grant;
using access::Rights;
using access::Role;
using testing::ElementsAre;
using testing::IsEmpty;

/// Hosts whose views a test writes down.
class QueryTest : public testing::Test {
 protected:
  void add_host(std::string name, std::vector<std::string> groups,
                const std::vector<Container>& containers) {
    HostRecord record;
    record.config.name = std::move(name);
    record.config.groups = std::move(groups);
    auto host = std::make_shared<Host>(loop_.executor(), std::move(record),
                                       HostWay{.connect = daemon_.server().connect()}, Clock{},
                                       LinkSettings{});
    HostView view;
    view.containers = containers;
    view.as_of = WallTime{Milliseconds{static_cast<std::int64_t>(hosts_.size() + 1)}};
    with_view(*host, view);
    hosts_.push_back(std::move(host));
  }
  /// What a link takes over from another one is the door through which a view gets in here.
  static void with_view(Host& host, const HostView& view) {
    const_cast<Link&>(host.link()).inherit(view);
  }
  static Container container(std::string name, std::string state = "running",
                             std::int64_t created = 0) {
    engine::ContainerSummary summary;
    summary.id = engine::FakeDaemon::id(fmt::format("{:x}", std::hash<std::string>{}(name)));
    summary.names = {name};
    summary.image = "gantry/sh";
    summary.state = std::move(state);
    summary.created = WallTime{Milliseconds{created}};
    return container_of(summary);
  }
  static Container in_project(std::string name, std::string project) {
    engine::ContainerSummary summary;
    summary.id = engine::FakeDaemon::id("ab");
    summary.names = {name};
    summary.state = "running";
    summary.status = "Up 1 second (healthy)";
    summary.labels = {{"com.docker.compose.project", project}, {"tier", "front"}};
    return container_of(summary);
  }
  ContainerPage find(const ContainerQuery& query, const Rights& rights = all) {
    return value_or_throw(find_containers(hosts_, query, rights));
  }
  std::vector<std::string> names(const ContainerQuery& query, const Rights& rights = all) {
    std::vector<std::string> out;
    for (const auto& found : find(query, rights).items) {
      out.push_back(found.host->name() + "/" + found.container->name);
    }
    return out;
  }

  static inline const Rights all = Rights::everywhere(Role::viewer);
  async::TestLoop loop_;
  engine::FakeDaemon daemon_;
  std::vector<std::shared_ptr<Host>> hosts_;
};

TEST_F(QueryTest, TwoHostsWithTheSameNamesStayApart) {
  add_host("a", {}, {container("web")});
  add_host("b", {}, {container("web")});
  EXPECT_THAT(names({}), ElementsAre("a/web", "b/web"));
  EXPECT_EQ(find({}).total, 2U);
  EXPECT_THAT(names({.host = "b"}), ElementsAre("b/web"));
  EXPECT_THAT(names({.host = "c"}), IsEmpty());
}

TEST_F(QueryTest, EachFilterLeavesWhatFits) {
  add_host("a", {"edge"},
           {container("web"), container("old", "exited"), in_project("shop-1", "shop")});
  add_host("b", {"core"}, {container("db")});
  EXPECT_THAT(names({.group = "core"}), ElementsAre("b/db"));
  EXPECT_THAT(names({.project = "shop"}), ElementsAre("a/shop-1"));
  EXPECT_THAT(names({.states = {"exited", "dead"}}), ElementsAre("a/old"));
  EXPECT_THAT(names({.healths = {Health::healthy}}), ElementsAre("a/shop-1"));
  EXPECT_THAT(names({.labels = {{"tier", "front"}}}), ElementsAre("a/shop-1"));
  EXPECT_THAT(names({.labels = {{"tier", "back"}}}), IsEmpty());
  EXPECT_THAT(names({.labels = {{"tier", {}}}}), ElementsAre("a/shop-1"));
}

TEST_F(QueryTest, ASearchFindsWordsInNamesWhateverTheirCaseAndInHosts) {
  add_host("edge-1", {}, {container("Web-Front"), container("db")});
  add_host("core", {}, {container("web-back")});
  EXPECT_THAT(names({.words = {"WEB"}}), ElementsAre("edge-1/Web-Front", "core/web-back"));
  EXPECT_THAT(names({.words = {"edge", "db"}}), ElementsAre("edge-1/db"));
  EXPECT_THAT(names({.words = {"nowhere"}}), IsEmpty());
}

TEST_F(QueryTest, ListsComeInTheOrderThatWasAskedFor) {
  add_host("a", {}, {container("one", "running", 2), container("two", "exited", 1)});
  add_host("b", {}, {container("three", "created", 3)});
  EXPECT_THAT(names({}), ElementsAre("a/one", "b/three", "a/two"));
  EXPECT_THAT(names({.order = Order::descending}), ElementsAre("a/two", "b/three", "a/one"));
  EXPECT_THAT(names({.sort = SortBy::created}), ElementsAre("a/two", "a/one", "b/three"));
  EXPECT_THAT(names({.sort = SortBy::state}), ElementsAre("b/three", "a/two", "a/one"));
  EXPECT_THAT(names({.sort = SortBy::host, .order = Order::descending}).front(),
              testing::StartsWith("b/"));
}

TEST_F(QueryTest, PagesFollowEachOtherWithoutGapsAndTwice) {
  std::vector<Container> many;
  for (int i = 0; i < 25; ++i) many.push_back(container(fmt::format("c{}", i % 5), "running", i));
  // Equal names: the id keeps them apart.
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i].id = engine::FakeDaemon::id(fmt::format("{:02x}", i + 1));
  add_host("a", {}, many);
  std::set<std::string> seen;
  ContainerQuery query{.limit = 7};
  std::size_t pages = 0;
  for (;; ++pages) {
    auto page = find(query);
    EXPECT_EQ(page.total, 25U);
    for (const auto& found : page.items) EXPECT_TRUE(seen.insert(found.container->id).second);
    if (!page.next) break;
    query.cursor = *page.next;
  }
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(pages, 3U);
}

TEST_F(QueryTest, ACursorOfAnotherListIsRefused) {
  add_host("a", {}, {container("one"), container("two")});
  auto cursor = *find({.limit = 1}).next;
  for (const auto& text : {std::string{"x"}, std::string{"WzFd"}, cursor + "A"}) {
    EXPECT_FALSE(find_containers(hosts_, {.cursor = text}, all)) << text;
  }
  auto other = find_containers(hosts_, {.sort = SortBy::created, .cursor = cursor}, all);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "invalid_cursor");
  EXPECT_TRUE(find_containers(hosts_, {.cursor = cursor}, all));
}

TEST_F(QueryTest, WhatSomebodyMayNotSeeIsNeitherListedNorCounted) {
  add_host("a", {"edge"}, {container("web"), in_project("shop-1", "shop")});
  add_host("b", {}, {container("secret")});
  auto edge = Rights::granted(Role::viewer, {Grant{.group = "edge"}});
  auto page = find({}, edge);
  EXPECT_EQ(page.total, 2U);
  ASSERT_EQ(page.hosts.size(), 1U);
  EXPECT_EQ(page.hosts[0]->name(), "a");
  auto shop = Rights::granted(Role::viewer, {Grant{.host = "a", .project = "shop"}});
  EXPECT_THAT(names({}, shop), ElementsAre("a/shop-1"));
  EXPECT_EQ(find({}, shop).total, 1U);
  EXPECT_THAT(names({.words = {"secret"}}, edge), IsEmpty());
  EXPECT_THAT(find({.host = "b"}, edge).hosts, IsEmpty());
  EXPECT_THAT(names({}, Rights::everywhere(Role::executor)), IsEmpty());
}

TEST_F(QueryTest, WhoSeesAPartOfAHostDoesNotLearnItsGroups) {
  add_host("a", {"edge"}, {in_project("shop-1", "shop")});
  auto shop = Rights::granted(Role::viewer, {Grant{.host = "a", .project = "shop"}});
  EXPECT_THAT(names({.group = "edge"}, shop), IsEmpty());
  EXPECT_THAT(find({.group = "edge"}, shop).hosts, IsEmpty());
  auto whole = Rights::granted(Role::viewer, {Grant{.host = "a"}});
  EXPECT_THAT(names({.group = "edge"}, whole), ElementsAre("a/shop-1"));
}

TEST_F(QueryTest, ThePageTellsHowOldItsOldestPartIs) {
  add_host("a", {}, {});
  add_host("b", {}, {});
  auto page = find({});
  EXPECT_TRUE(page.stale);
  EXPECT_EQ(page.as_of, WallTime{Milliseconds{1}});
}

}  // namespace
}  // namespace gantry::fleet
