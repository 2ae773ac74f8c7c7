#include "api/metrics.hpp"

#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "async/process.hpp"
#include "fleet/fleet.hpp"

#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Everything that can be told, with names that need escapes.
std::string full_text() {
  executions::Counters counters;
  counters.submitted = 3;
  ImagePools pools{{"odd \"image\"\n\\", {.wanted = 2, .ready = 1, .hits = 5, .misses = 1}}};
  RequestMetrics requests;
  requests.note(&routes().front(), 200, Microseconds{1'200});
  requests.note(&routes().front(), 404, Microseconds{20'000'000});
  requests.note(nullptr, 200, std::nullopt);
  storage::DatabaseStats database{.kind = "sqlite", .done = 7};
  database.took.observe(Microseconds{900});
  return metrics_text({.counters = counters,
                       .pools = pools,
                       .hosts = {{.name = "web1",
                                  .state = fleet::EngineState::connected,
                                  .as_of = WallTime{Milliseconds{1'500}},
                                  .containers = {{"running", 2}, {"other", 1}},
                                  .unhealthy = 1},
                                 {.name = "web2",
                                  .state = fleet::EngineState::unreachable,
                                  .as_of = {},
                                  .containers = {}}},
                       .local_engine = fleet::EngineState::connected,
                       .requests = &requests,
                       .database = &database,
                       .version = "1.2.3",
                       .started_at = WallTime{Milliseconds{2'500}}});
}

TEST(MetricsText, HostsAndContainersAreCounted) {
  auto text = full_text();
  EXPECT_THAT(text, HasSubstr("gantry_hosts{state=\"unreachable\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gantry_host_up{host=\"web2\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gantry_containers{host=\"web1\",state=\"running\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gantry_containers_unhealthy{host=\"web1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gantry_host_seen_timestamp_seconds{host=\"web1\"} 1.5\n"));
}

TEST(MetricsText, DurationsAreHistograms) {
  auto text = full_text();
  auto labels =
      fmt::format("method=\"{}\",route=\"{}\"", routes().front().method, routes().front().path);
  auto name = std::string{"gantry_http_request_duration_seconds"};
  EXPECT_THAT(text, HasSubstr(fmt::format("{}_bucket{{{},le=\"0.001\"}} 0\n", name, labels)));
  EXPECT_THAT(text, HasSubstr(fmt::format("{}_bucket{{{},le=\"0.0025\"}} 1\n", name, labels)));
  EXPECT_THAT(text, HasSubstr(fmt::format("{}_bucket{{{},le=\"10\"}} 1\n", name, labels)));
  EXPECT_THAT(text, HasSubstr(fmt::format("{}_bucket{{{},le=\"+Inf\"}} 2\n", name, labels)));
  EXPECT_THAT(text, HasSubstr(fmt::format("{}_count{{{}}} 2\n", name, labels)));
}

TEST(MetricsText, PromtoolFindsNothingToMend) {
  char pattern[] = "/tmp/gantry-metrics-XXXXXX";
  auto file = ::mkstemp(pattern);
  ASSERT_GE(file, 0);
  ::unlink(pattern);
  auto text = full_text();
  ASSERT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(file, 0, SEEK_SET);
  // Its standard input is the file; it says what it has to say on its standard error.
  async::ProcessSpec spec{.argv = {"promtool", "check", "metrics"},
                          .env = {"PATH=/usr/bin:/usr/local/bin"}};
  spec.input_output = file;
  auto checked = async::run_test(async::run_process(std::move(spec), 64U << 10U));
  ::close(file);
  if (!checked && std::getenv("CI") == nullptr) GTEST_SKIP() << checked.error().sentence();
  ASSERT_TRUE(checked) << checked.error().sentence();
  EXPECT_TRUE(checked->status.success()) << checked->output;
  EXPECT_EQ(checked->output, "");
}

class MetricsTest : public testing::Test {
 protected:
  std::string metrics(net::http::Headers headers) {
    headers.set("Accept", "text/plain");
    return server_.send("GET", "/metrics", {}, std::move(headers)).body;
  }

  TestServer server_;
};

TEST_F(MetricsTest, RequestsAreCountedByTheTemplateOfTheirRoute) {
  server_.ask("GET", "/api/v1/executions/01nothing");
  server_.ask("GET", "/api/v1/executions/01another");
  server_.ask("GET", "/api/v1/nothing");
  auto text = metrics(server_.local());
  EXPECT_THAT(text, HasSubstr("gantry_http_requests_total{method=\"GET\","
                              "route=\"/api/v1/executions/{id}\",status=\"4xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("route=\"other\",status=\"4xx\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("01nothing")));
}

TEST_F(MetricsTest, HostsThatSomebodyMayNotSeeAreAbsent) {
  EXPECT_THAT(metrics(server_.local()), HasSubstr("gantry_engine_up 0\n"));
  EXPECT_THAT(metrics(server_.local()), HasSubstr("gantry_host_up{host=\"local\"}"));
  auto who = server_.add_user("ben", access::Role::viewer);
  value_or_throw(server_.loop().run(
      server_.access().set_grants(server_.owner(), who.user, {{.group = "elsewhere"}})));
  auto text = metrics(TestServer::bearer(server_.add_token(who, access::Role::viewer, {"system"})));
  EXPECT_THAT(text, Not(HasSubstr("host=")));
  EXPECT_THAT(text, Not(HasSubstr("gantry_engine_up")));
  EXPECT_THAT(text, HasSubstr("gantry_hosts{state=\"connecting\"} 0\n"));
}

TEST_F(MetricsTest, HostsThatATokenHasNoGrantForAreAbsent) {
  auto token = server_.add_token(server_.owner(), access::Role::viewer, {"system"},
                                 {{.group = "elsewhere"}});
  auto text = metrics(TestServer::bearer(token));
  EXPECT_THAT(text, Not(HasSubstr("host=")));
  EXPECT_THAT(text, Not(HasSubstr("gantry_engine_up")));
}

}  // namespace
}  // namespace gantry::api
