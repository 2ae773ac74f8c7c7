#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "fleet/creation.hpp"
#include "storage/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What becomes of a new container on an engine that does not do as it should.
namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Script = FakeDaemon::Script;

class CreationOnAnEngine : public testing::Test {
 protected:
  CreationOnAnEngine() {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    loop_.run(access::audit::migrate(*database_));
    operations_.emplace(loop_.executor(), *database_, Operations::Settings{});
    HostRecord record;
    record.config.name = "edge";
    record.config.endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
    // Of the test and of the operations on it.
    host_ = std::make_shared<Host>(loop_.executor(), std::move(record),
                                   HostWay{.connect = daemon_.server().connect()}, Clock{},
                                   LinkSettings{});
    created_ = &daemon_.expect("POST", "/containers/create?name=web").reply(201, made_);
    removed_ = &daemon_.expect("DELETE", fmt::format("/containers/{}?force=1&v=1", id_)).reply(204);
  }
  ~CreationOnAnEngine() override { loop_.run(operations_->close()); }

  Script& inspected() { return daemon_.expect("GET", fmt::format("/containers/{}/json", id_)); }
  async::task<void> create_web() {
    Creation creation{.host = host_, .name = "web", .wanted = {}, .named = {}};
    creation.wanted.image = "nginx:1.27";
    creation.wanted.volumes = volumes_;
    result_ = co_await create(*operations_, {.name = "ada", .id = "u1", .by = "token"},
                              access::Role::operator_, std::move(creation));
  }
  /// Who asked leaves when `script` has been used; `then` happens after that.
  void leave_after(Script& script, const std::function<void()>& then) {
    async::TaskScope scope{loop_.executor()};
    scope.spawn("creating", create_web());
    loop_.run(async::until([&] { return script.used() == 1; }));
    scope.cancel();
    loop_.run(async::pause(Milliseconds{1}));
    then();
    loop_.run(scope.close());
  }
  std::string code() const { return result_ && !*result_ ? result_->error().code : "none"; }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::string id_ = FakeDaemon::id("c1");
  std::string made_ = fmt::format(R"({{"Id":"{}","Warnings":[]}})", id_);
  Script* created_ = nullptr;
  Script* removed_ = nullptr;
  std::unique_ptr<storage::Database> database_;
  std::optional<Operations> operations_;
  std::shared_ptr<Host> host_;
  std::vector<engine::VolumeMount> volumes_;
  std::optional<Result<Created>> result_;
};

TEST_F(CreationOnAnEngine, AVolumeThatIsAPlaceOfTheHostIsNotForOperators) {
  daemon_.expect("GET", "/volumes/data")
      .reply(200, R"({"Name":"data","Driver":"local","Options":)"
                  R"({"type":"none","o":"bind","device":"/var/run/docker.sock"}})");
  volumes_ = {{.volume = "data", .target = "/data"}};
  loop_.run(create_web());
  EXPECT_EQ(code(), "danger_needs_admin");
  EXPECT_THAT(result_->error().message, HasSubstr("bind, host_system, docker_socket"));
  EXPECT_EQ(created_->used(), 0U);
}

TEST_F(CreationOnAnEngine, WhatCanNotBeComparedDoesNotStay) {
  inspected().reply(500, R"({"message":"try again"})");
  loop_.run(create_web());
  EXPECT_EQ(code(), "engine_failed");
  EXPECT_EQ(removed_->used(), 1U);
}

TEST_F(CreationOnAnEngine, WhatIsComparedOverABrokenConnectionDoesNotStay) {
  inspected().raw({}).then_close().always();
  loop_.run(create_web());
  EXPECT_EQ(code(), "engine_unreachable");
  EXPECT_EQ(removed_->used(), 1U);
}

TEST_F(CreationOnAnEngine, WhatNobodyWaitsForWhileItIsComparedDoesNotStay) {
  auto& inspecting = inspected().hang();
  leave_after(inspecting, [] {});
  EXPECT_FALSE(result_);
  EXPECT_EQ(removed_->used(), 1U);
}

TEST_F(CreationOnAnEngine, WhatNobodyWaitsForWhileItIsMadeDoesNotStay) {
  created_->stream(201, {}).stay_open();
  leave_after(*created_, [this] {
    created_->push(made_);
    created_->finish();
  });
  EXPECT_FALSE(result_);
  EXPECT_EQ(removed_->used(), 1U);
}

TEST_F(CreationOnAnEngine, WhatTheEngineMadeWithoutAnAnswerDoesNotStay) {
  created_->raw({}).then_close().always();
  daemon_.expect("GET", "/containers/json*").reply_with([this](const auto&) {
    auto wanted = value_or_throw(json::parse(daemon_.last_body(), json::Keys::tolerant));
    auto made = FakeDaemon::container("c1", "web", "created");
    made["Labels"] = wanted.as_object().at("Labels");
    json::Array listed{FakeDaemon::container("ff", "web", "running"), std::move(made)};
    return net::ScriptedServer::Reply{
        .status = 200, .body = json::serialize(listed), .headers = {}};
  });
  loop_.run(create_web());
  EXPECT_EQ(code(), "engine_unreachable");
  EXPECT_EQ(removed_->used(), 1U);
  EXPECT_THAT(result_->error().remedy, Not(HasSubstr("by hand")));
  EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
}

TEST_F(CreationOnAnEngine, WhatMayHaveBeenMadeIsTold) {
  created_->raw({}).then_close().always();
  daemon_.expect("GET", "/containers/json*").reply(200, "[]");
  loop_.run(create_web());
  EXPECT_EQ(code(), "engine_unreachable");
  EXPECT_EQ(removed_->used(), 0U);
  EXPECT_THAT(result_->error().remedy, HasSubstr("the label 'io.gantry.creation="));
}

TEST_F(CreationOnAnEngine, WhatTheEngineRefusesIsNotLookedFor) {
  created_->reply(409, R"({"message":"the name is in use"})");
  loop_.run(create_web());
  EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
}

TEST_F(CreationOnAnEngine, WhatCanNotBeRemovedIsTold) {
  inspected().reply(500, R"({"message":"try again"})");
  removed_->reply(500, R"({"message":"device busy"})").always();
  loop_.run(create_web());
  EXPECT_EQ(code(), "engine_failed");
  EXPECT_THAT(result_->error().remedy, HasSubstr("remove container 'c10000000000' by hand"));
}

}  // namespace
}  // namespace gantry::fleet
