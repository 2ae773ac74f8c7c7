#include "fleet/recordings.hpp"

#include "async/attempt.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "base/random.hpp"
#include "storage/testing_fake.hpp"

#include <fstream>

#include <gmock/gmock.h>

namespace gantry::fleet {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RecordingsTest : public testing::Test {
 protected:
  RecordingsTest() { restart(); }

  /// As after a new start of the server.
  void restart(Recordings::Settings settings = {}) {
    recordings_.reset();
    database_.reset();
    database_ = loop_.run(storage::open_for_test(folder_.path()));
    settings.folder = folder_.path() / "recordings";
    settings.clock = Clock{[this] { return now_; }};
    recordings_ = std::make_unique<Recordings>(*database_, workers_, Sealer{Secret{key_}},
                                               std::move(settings));
    loop_.run(recordings_->start());
  }
  Recorder begin(std::string container = "web-1", std::string host = "local") {
    now_ += std::chrono::seconds{1};
    return value_or_throw(loop_.run(recordings_->begin({.terminal = "t1",
                                                        .host = std::move(host),
                                                        .container = std::move(container),
                                                        .container_id = "abc",
                                                        .user_id = "ada",
                                                        .user = "ada",
                                                        .shell = "bash"})));
  }
  Recording made(std::string output) {
    auto recorder = begin();
    EXPECT_TRUE(loop_.run(recorder.output(std::move(output))));
    loop_.run(recorder.finish("exited"));
    return recorder.recording();
  }
  static async::task<std::string> text_of(Recordings& recordings, RecordingId id) {
    auto reader = value_or_throw(co_await recordings.open(std::move(id)));
    std::string text;
    for (auto piece = co_await reader.next(); !piece.empty(); piece = co_await reader.next()) {
      text += piece;
    }
    co_return text;
  }
  std::string text(const RecordingId& id) { return loop_.run(text_of(*recordings_, id)); }
  std::vector<std::string> listed(std::string host = {}) {
    std::vector<std::string> ids;
    for (const auto& one : loop_.run(recordings_->list(500, {}, std::move(host)))) {
      ids.push_back(one.id.text());
    }
    return ids;
  }
  fs::path file(const RecordingId& id) {
    return folder_.path() / "recordings" / (id.text() + ".sealed");
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  async::Workers workers_{1, 64};
  std::string key_ = random::bytes(Sealer::key_bytes);
  WallTime now_{std::chrono::milliseconds{1'790'000'000'000}};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Recordings> recordings_;
};

TEST_F(RecordingsTest, WhatWasRecordedIsReadAsAsciicast) {
  auto recorder = begin();
  EXPECT_TRUE(loop_.run(recorder.output("hello")));
  recorder.resized({.columns = 90, .rows = 20});
  recorder.resized({.columns = 100, .rows = 30});
  EXPECT_TRUE(loop_.run(recorder.output("\xe2")));
  loop_.run(recorder.finish("exited"));
  auto cast = text(recorder.recording().id);
  EXPECT_THAT(cast, HasSubstr("{\"version\":2,"));
  EXPECT_THAT(cast, HasSubstr("\"o\", \"hello\"]\n"));
  EXPECT_THAT(cast, HasSubstr("\"r\", \"100x30\"]\n"));
  EXPECT_THAT(cast, Not(HasSubstr("90x20")));
  EXPECT_THAT(cast, HasSubstr("\"o\", \"\\ufffd\"]\n"));
  auto row = loop_.run(recordings_->find(recorder.recording().id));
  EXPECT_EQ(row->state, "exited");
  EXPECT_EQ(row->bytes.count, cast.size());
  EXPECT_EQ(row->ended_at, now_);
}

TEST_F(RecordingsTest, ASizeThatComesWhileOutputIsWrittenFollowsIt) {
  auto recorder = begin();
  bool resized = false;
  auto resize_meanwhile = [](Recorder& of, bool& done) -> async::task<void> {
    of.resized({.columns = 100, .rows = 30});
    done = true;
    co_return;
  };
  auto write = [](Recorder& to) -> async::task<void> { value_or_throw(co_await to.output("one")); };
  loop_.run(async::both(write(recorder), resize_meanwhile(recorder, resized)));
  EXPECT_TRUE(resized);
  EXPECT_THAT(text(recorder.recording().id), Not(HasSubstr("100x30")));
  EXPECT_TRUE(loop_.run(recorder.output("two")));
  recorder.resized({.columns = 110, .rows = 40});
  loop_.run(recorder.finish("exited"));
  EXPECT_THAT(text(recorder.recording().id),
              ::testing::ContainsRegex("one.*\n.*100x30.*\n.*two.*\n.*110x40"));
}

TEST_F(RecordingsTest, OneIsReadWhileItIsWritten) {
  auto recorder = begin();
  EXPECT_TRUE(loop_.run(recorder.output("so far")));
  EXPECT_THAT(text(recorder.recording().id), HasSubstr("so far"));
  auto removed = loop_.run(recordings_->remove(recorder.recording().id));
  EXPECT_EQ(removed.error().code, "recording_runs");
}

TEST_F(RecordingsTest, NothingOfItLiesOpenOnTheDisk) {
  auto id = made("a secret word").id;
  std::ifstream in{file(id), std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_GT(bytes.size(), 100U);
  EXPECT_THAT(bytes, Not(HasSubstr("secret")));
  EXPECT_EQ(fs::status(file(id)).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(RecordingsTest, AChangedPieceIsNotShown) {
  auto id = made("one").id;
  {
    std::fstream out{file(id), std::ios::binary | std::ios::in | std::ios::out};
    out.seekg(-1, std::ios::end);
    auto last = out.get();
    out.seekp(-1, std::ios::end);
    out.put(static_cast<char>(last ^ 1));  // sealed, it may be any byte, so another than it was
  }
  auto read = loop_.run(async::attempt(text_of(*recordings_, id)));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "recording_broken");
}

TEST_F(RecordingsTest, WhatACrashToreOffIsNotShown) {
  auto recorder = begin();
  EXPECT_TRUE(loop_.run(recorder.output("whole")));
  auto size = fs::file_size(file(recorder.recording().id));
  EXPECT_TRUE(loop_.run(recorder.output("torn")));
  fs::resize_file(file(recorder.recording().id), size + 10);
  restart();
  auto cast = text(recorder.recording().id);
  EXPECT_THAT(cast, HasSubstr("whole"));
  EXPECT_THAT(cast, Not(HasSubstr("torn")));
  EXPECT_EQ(loop_.run(recordings_->find(recorder.recording().id))->state, "interrupted");
}

TEST_F(RecordingsTest, OneDoesNotGrowWithoutEnd) {
  restart({.one_max = Bytes{400}});
  auto recorder = begin();
  EXPECT_TRUE(loop_.run(recorder.output(std::string(100, 'x'))));
  auto refused = loop_.run(recorder.output(std::string(300, 'x')));
  EXPECT_EQ(refused.error().code, "recording_full");
}

TEST_F(RecordingsTest, OldOnesGo) {
  auto old = made("old").id;
  now_ += std::chrono::days{91};
  auto fresh = made("new").id;
  EXPECT_THAT(listed(), ElementsAre(fresh.text()));
  EXPECT_FALSE(fs::exists(file(old)));
  EXPECT_EQ(loop_.run(recordings_->open(old)).error().code, "no_such_recording");
}

TEST_F(RecordingsTest, TheOldestGoWhenAllTogetherAreTooMuch) {
  restart({.all_max = Bytes{1500}});
  auto first = made(std::string(500, 'a')).id;
  auto second = made(std::string(500, 'b')).id;
  auto third = made(std::string(500, 'c')).id;
  EXPECT_THAT(listed(), ElementsAre(third.text(), second.text()));
  EXPECT_FALSE(fs::exists(file(first)));
}

TEST_F(RecordingsTest, TheyAreListedByHost) {
  auto here = begin("web-1", "local");
  auto there = begin("web-1", "far");
  EXPECT_THAT(listed(), ElementsAre(there.recording().id.text(), here.recording().id.text()));
  EXPECT_THAT(listed("far"), ElementsAre(there.recording().id.text()));
  auto older = loop_.run(recordings_->list(10, there.recording().id.text(), {}));
  EXPECT_EQ(older.size(), 1U);
}

TEST_F(RecordingsTest, OneIsRemovedWithItsFile) {
  auto id = made("x").id;
  EXPECT_TRUE(loop_.run(recordings_->remove(id)));
  EXPECT_FALSE(fs::exists(file(id)));
  EXPECT_EQ(loop_.run(recordings_->remove(id)).error().code, "no_such_recording");
}

TEST_F(RecordingsTest, AFileWithoutARowGoesAtTheNextStart) {
  auto id = made("x").id;
  auto stranger = folder_.path() / "recordings" / "stranger.sealed";
  std::ofstream{stranger} << "x";
  restart();
  EXPECT_FALSE(fs::exists(stranger));
  EXPECT_TRUE(fs::exists(file(id)));
}

}  // namespace
}  // namespace gantry::fleet
