#include "api/testing_fake.hpp"

#include <gmock/gmock.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;

constexpr auto program =
    R"({"language":"python","source":"1","limits":{"filesystem":"workspace","workspace":"notes"}})";

class WorkspacesApiTest : public testing::Test {
 protected:
  /// One of this user, with nothing in it.
  void make(const access::Identity& user, std::string name) {
    auto& workspaces = server_.executions().workspaces();
    auto lease =
        server_.loop().run(workspaces.borrow(user.user.text(), std::move(name), Bytes{1'000}));
    server_.loop().run(workspaces.keep(*lease, ""));
  }
  TestServer::Headers token_of(const access::Identity& user,
                               access::Role role = access::Role::operator_) {
    return TestServer::bearer(server_.add_token(user, role, {"executions"}));
  }

  TestServer server_;
  access::Identity bob_ = server_.add_user("bob", access::Role::operator_);
};

TEST_F(WorkspacesApiTest, EverybodySeesAndDeletesTheirOwn) {
  make(bob_, "notes");
  auto listed = server_.send("GET", "/api/v1/workspaces", {}, token_of(bob_));
  EXPECT_EQ(listed.head.status, 200U);
  EXPECT_THAT(listed.body, HasSubstr(R"("name":"notes","bytes":0,"files":0,"changed_at":")"));
  EXPECT_EQ(server_.ask("GET", "/api/v1/workspaces").body, R"({"items":[],"next":null})");
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/workspaces/notes")), "404 no_such_workspace");
  EXPECT_EQ(refusal_of(server_.ask("DELETE", "/api/v1/workspaces/notes")), "404 no_such_workspace");
  EXPECT_EQ(server_.send("DELETE", "/api/v1/workspaces/notes", {}, token_of(bob_)).head.status,
            204U);
  EXPECT_EQ(server_.send("GET", "/api/v1/workspaces/notes", {}, token_of(bob_)).head.status, 404U);
}

TEST_F(WorkspacesApiTest, AViewerDeletesNothing) {
  make(bob_, "notes");
  auto viewer = token_of(bob_, access::Role::viewer);
  EXPECT_EQ(server_.send("DELETE", "/api/v1/workspaces/notes", {}, viewer).head.status, 403U);
  EXPECT_EQ(server_.send("GET", "/api/v1/workspaces/notes", {}, viewer).head.status, 200U);
}

TEST_F(WorkspacesApiTest, OneThatIsInUseIsAConflict) {
  make(bob_, "notes");
  server_.sandbox().hold();
  auto token = token_of(bob_);
  EXPECT_EQ(server_.send("POST", "/api/v1/executions", program, token).head.status, 202U);
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/executions", program, token)),
            "409 workspace_in_use");
  EXPECT_EQ(refusal_of(server_.send("DELETE", "/api/v1/workspaces/notes", {}, token)),
            "409 workspace_in_use");
  auto shown = server_.send("GET", "/api/v1/workspaces/notes", {}, token);
  EXPECT_THAT(shown.body, HasSubstr(R"("in_use":true)"));
  server_.sandbox().release();
}

TEST_F(WorkspacesApiTest, ARequestsOwnFilesCanNotLieInIt) {
  auto refused = server_.ask(
      "POST", "/api/v1/executions",
      R"({"language":"python","source":"1","files":[{"path":"workspace/x","content":""}],)"
      R"("limits":{"filesystem":"workspace","workspace":"notes"}})");
  EXPECT_EQ(refused.head.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("must not have 'workspace/x'"));
}

TEST_F(WorkspacesApiTest, ANameIsNoPath) {
  auto refused = server_.ask(
      "POST", "/api/v1/executions",
      R"({"language":"python","source":"1","limits":{"filesystem":"workspace","workspace":"-x"}})");
  EXPECT_EQ(refused.head.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("begin with a letter or digit"));
}

}  // namespace
}  // namespace gantry::api
