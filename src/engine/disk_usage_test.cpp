#include "engine/disk_usage.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;

class EngineDiskUsage : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineDiskUsage, EverythingThatTakesRoomIsRead) {
  daemon_.expect("GET", "/system/df")
      .reply(200, R"({"LayersSize":100,"Images":[{"Id":"sha256:1","RepoTags":["a:1"],"Size":60,)"
                  R"("SharedSize":-1,"Containers":2}],"Containers":[{"Id":"c","Names":["/web"],)"
                  R"("State":"running","SizeRw":7}],"Volumes":[{"Name":"v","UsageData":{"Size":-1,)"
                  R"("RefCount":1}},{"Name":"w","UsageData":{"Size":9,"RefCount":0}}],)"
                  R"("BuildCache":[{"ID":"x","Type":"regular","Size":3,"InUse":true}],"New":1})");
  auto usage = value_or_throw(run(disk_usage(*client_)));
  EXPECT_EQ(usage.layers_bytes, 100);
  ASSERT_EQ(usage.images.size(), 1U);
  EXPECT_THAT(usage.images[0].tags, ElementsAre("a:1"));
  EXPECT_EQ(usage.images[0].shared_bytes, 0);
  EXPECT_EQ(usage.images[0].containers, 2);
  ASSERT_EQ(usage.containers.size(), 1U);
  EXPECT_EQ(usage.containers[0].name, "web");
  EXPECT_EQ(usage.containers[0].written_bytes, 7);
  ASSERT_EQ(usage.volumes.size(), 2U);
  EXPECT_FALSE(usage.volumes[0].size_bytes);
  EXPECT_EQ(usage.volumes[1].size_bytes, 9);
  ASSERT_EQ(usage.build_cache.size(), 1U);
  EXPECT_TRUE(usage.build_cache[0].in_use);
}

TEST_F(EngineDiskUsage, AnEmptyEngineSaysNull) {
  daemon_.expect("GET", "/system/df")
      .reply(200, R"({"LayersSize":0,"Images":null,"Containers":null,"Volumes":null})");
  EXPECT_TRUE(value_or_throw(run(disk_usage(*client_))).images.empty());
}

TEST_F(EngineDiskUsage, AnEngineThatCountsAlreadySaysSo) {
  daemon_.expect("GET", "/system/df")
      .reply(500, R"({"message":"a disk usage operation is already running"})");
  auto usage = run(disk_usage(*client_));
  ASSERT_FALSE(usage);
  EXPECT_EQ(usage.error().code, "engine_busy");
  EXPECT_EQ(usage.error().kind, ErrorKind::exhausted);
}

TEST_F(EngineDiskUsage, WhatIsOfTheWrongKindIsMalformed) {
  daemon_.expect("GET", "/system/df").reply(200, R"({"Images":[{"Id":7}]})");
  auto usage = run(disk_usage(*client_));
  ASSERT_FALSE(usage);
  EXPECT_EQ(usage.error().code, "engine_answer_malformed");
}

}  // namespace
}  // namespace gantry::engine
