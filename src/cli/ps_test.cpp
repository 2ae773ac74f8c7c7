#include "cli/ps.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ContainerView view(std::string_view text) {
  return value_or_throw(container_view(value_or_throw(json::parse(text, json::Keys::strict))));
}

TEST(ContainerView, HasOneLinePerContainer) {
  auto shown = view(R"({"items":[{"host":"web1","id":"0123456789abcdef","name":"shop-web-1",
      "image":"nginx:1.27","state":"running","status":"Up 2 hours","created_at":"x","labels":{},
      "ports":[{"private":80,"public":8080,"ip":"127.0.0.1","protocol":"tcp"},
               {"private":53,"protocol":"udp"},
               {"private":443,"public":8443,"ip":"::","protocol":"tcp"}]}],
      "hosts":[{"name":"web1","stale":false,"as_of":"2026-11-22T00:30:00.000Z"}]})");
  EXPECT_EQ(shown.table,
            "HOST  ID            NAME        IMAGE       STATUS      PORTS\n"
            "web1  0123456789ab  shop-web-1  nginx:1.27  Up 2 hours  "
            "127.0.0.1:8080->80/tcp, 53/udp, [::]:8443->443/tcp\n");
  EXPECT_THAT(shown.notes, IsEmpty());
}

TEST(ContainerView, SaysWhichHostsAreStale) {
  auto shown = view(R"({"items":[],"hosts":[
      {"name":"a","stale":true,"as_of":"2026-11-22T00:30:00.000Z"},
      {"name":"b","stale":false,"as_of":"2026-11-22T00:30:00.000Z"},
      {"name":"c","stale":true,"as_of":null}]})");
  EXPECT_THAT(shown.notes, ElementsAre(HasSubstr("'a' can not be reached; its containers were so "
                                                 "at 2026-11-22T00:30:00.000Z"),
                                       HasSubstr("'c' has not been reached yet")));
}

TEST(ContainerView, SaysWhyAHostIsAway) {
  auto shown = view(R"({"items":[],"hosts":[{"name":"a","stale":true,"as_of":null,"error":
      {"code":"engine_permission_denied","detail":"user 'x' is not in group 'docker'",
       "remedy":"add the user: 'sudo usermod -aG docker x'"}}]})");
  EXPECT_THAT(shown.notes,
              ElementsAre("stale: host 'a' has not been reached yet: user 'x' is not in group "
                          "'docker'; add the user: 'sudo usermod -aG docker x'"));
}

TEST(ContainerView, IsRefusedForSomethingElse) { EXPECT_FALSE(container_view(json::Array{})); }

}  // namespace
}  // namespace gantry::cli
