#include "engine/volumes.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::Pair;

class EngineVolumes : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineVolumes, AVolumeInUseIsAConflictWithARemedy) {
  daemon_.expect("DELETE", "/volumes/v")
      .reply(409, R"({"message":"remove v: volume is in use - [abc]"})");
  auto removed = run(remove_volume(*client_, "v"));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(removed.error().remedy, "remove the containers that use it first");
}

TEST_F(EngineVolumes, ANewOneIsWhatTheSpecSays) {
  daemon_.expect("POST", "/volumes/create").reply(201, R"({"Name":"v","Driver":"other"})");
  VolumeSpec spec{.name = "v", .driver = "other", .options = {{"type", "nfs"}}};
  auto made = value_or_throw(run(create_volume(*client_, std::move(spec))));
  EXPECT_EQ(made.driver, "other");
  EXPECT_EQ(daemon_.last_body(),
            R"({"Name":"v","Labels":{},"Driver":"other","DriverOpts":{"type":"nfs"}})");
}

TEST_F(EngineVolumes, WhatTheEngineKnowsOfOneIsRead) {
  daemon_.expect("GET", "/volumes/v")
      .reply(200, R"({"Name":"v","Driver":"local","Mountpoint":"/var/lib/docker/volumes/v/_data",)"
                  R"("Scope":"local","CreatedAt":"2026-01-02T03:04:05Z","Labels":null,)"
                  R"("Options":{"o":"addr=h"},"Status":{"x":[1]}})");
  auto volume = value_or_throw(run(inspect_volume(*client_, "v")));
  EXPECT_EQ(volume.mountpoint, "/var/lib/docker/volumes/v/_data");
  EXPECT_EQ(volume.created, "2026-01-02T03:04:05Z");
  EXPECT_THAT(volume.options, ElementsAre(Pair("o", "addr=h")));
}

TEST_F(EngineVolumes, NothingIsSentForANameThatIsNone) {
  auto made = run(create_volume(*client_, VolumeSpec{.name = "../x"}));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "invalid_name");
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

}  // namespace
}  // namespace gantry::engine
