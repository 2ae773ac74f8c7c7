#include "cli/testing_fake.hpp"

#include <gtest/gtest.h>

// What is said of containers that were sent a signal.
namespace gantry::cli {
namespace {

using net::http::Exchange;

class Kill : public testing::Test {
 protected:
  std::string told(Given given) {
    given["containers"] = {"web"};
    EXPECT_EQ(value_or_throw(remote_.run("kill", "", {.given = std::move(given)})), 0);
    return remote_.out;
  }
  async::task<void> serve(Exchange& exchange) {
    const auto* answer = exchange.request().method == "POST"
                             ? R"({"results":[{"host":"a","id":"01","ok":true}]})"
                             : R"({"items":[{"host":"a","id":"01","name":"web"}],"next":null})";
    return exchange.respond({200, {{"Content-Type", "application/json"}}}, answer);
  }

  TestRemote remote_{[this](Exchange& exchange) { return serve(exchange); }};
};

TEST_F(Kill, WithoutASignalItIsKilled) { EXPECT_EQ(told({}), "web  killed\n"); }

TEST_F(Kill, ASignalOfOnesOwnIsNamed) {
  EXPECT_EQ(told({{"signal", {"HUP"}}}), "web  was sent signal 'HUP'\n");
}

}  // namespace
}  // namespace gantry::cli
