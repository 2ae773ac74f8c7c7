#include "sandbox/ender.hpp"

#include "async/deadline.hpp"
#include "integration/terminal_fixture.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/tar.hpp"

#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>

// Containers of an image that holds one static program, and no shell.
namespace gantry::fleet {
namespace {

using engine::ProcessFate;
using ::testing::HasSubstr;

std::string text_of_file(const char* path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class Ender : public TerminalFixture {
 protected:
  void SetUp() override {
    TerminalFixture::SetUp();
    if (!usable()) return;
    use({.ender = sandbox::ender(Clock{})});
    auto name = value_or_throw(engine::ImageReference::parse(fresh_name()));
    auto tar = sandbox::tar::of_executable("probe", text_of_file(GANTRY_INIT_PROBE_PATH));
    image_ = must(engine::import_image(engine(), name, engine::source_of(tar), {}));
  }
  void TearDown() override {
    if (usable() && !image_.empty()) remove_with_containers();
    TerminalFixture::TearDown();
  }
  void remove_with_containers() {
    for (const auto& container :
         must(engine::list_containers(engine(), engine::ListScope::all, {mark()}))) {
      run(engine::remove_container(engine(), container.id, {.force = true}));
    }
    run(engine::remove_image(engine(), image_, engine::RemoveImage::force));
  }

  std::string bare_container() {
    auto spec = sleeper();
    spec.image = image_;
    spec.entrypoint = {"/probe", "deafen"};
    return started(spec);
  }
  TerminalWish bare_wish(std::string container, std::string act = "deafen") {
    auto asked = wish(std::move(container));
    asked.shell = "/probe";
    asked.arguments = {std::move(act)};
    return asked;
  }
  std::size_t processes_of(const std::string& container) {
    return must(engine::container_top(engine(), container)).rows.size();
  }
  /// The engine removes what has ended by itself, and takes its time for it.
  void until_no_ender_is_left() {
    for (int looks = 0; enders() > 0; ++looks) {
      ASSERT_LT(looks, 600);
      run(async::pause(Milliseconds{100}));
    }
  }
  std::size_t enders() {
    auto label = fmt::format("{}=ender", sandbox::labels::owner);
    return must(engine::list_containers(engine(), engine::ListScope::all, {label})).size();
  }

  std::string image_;
};

TEST_F(Ender, ATerminalWithoutAnyShellEndsAllTheSame) {
  auto id = bare_container();
  auto view = open(bare_wish(id));
  EXPECT_EQ(view.may_live_on, "");
  EXPECT_EQ(processes_of(id), 2U);
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::ended) << end.process.detail;
  EXPECT_EQ(processes_of(id), 1U);
  until_no_ender_is_left();
}

TEST_F(Ender, OnlyTheOneThatIsMeantEndsWhoeverItRunsAs) {
  auto id = bare_container();
  auto asked = bare_wish(id);
  asked.user = "1234:1234";
  auto mine = open(asked);
  auto another = open(bare_wish(id));
  EXPECT_EQ(processes_of(id), 3U);
  auto end = must(terminals_->end(mine.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::ended) << end.process.detail;
  EXPECT_EQ(processes_of(id), 2U);
  EXPECT_TRUE(terminals_->find(another.id));
}

TEST_F(Ender, WhoHeedsNothingIsKilled) {
  auto id = bare_container();
  auto view = open(bare_wish(id, "heed-nothing"));
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::ended) << end.process.detail;
  EXPECT_EQ(processes_of(id), 1U);
}

TEST_F(Ender, ADaemonIsNotTakenForTheOneThatHasLostItsMark) {
  auto id = bare_container();
  auto view = open(bare_wish(id, "shed-the-variables"));
  for (int looks = 0; processes_of(id) < 3; ++looks) {
    ASSERT_LT(looks, 600);
    run(async::pause(Milliseconds{50}));
  }
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::may_live_on);
  EXPECT_EQ(processes_of(id), 3U);
}

TEST_F(Ender, ACommandOutOfTimeEndsToo) {
  auto id = bare_container();
  CommandWish wish{.owner = {.name = "ada", .id = "u1", .by = "session"},
                   .container = id,
                   .name = "web-1",
                   .command = {"/probe", "deafen"},
                   .user = {},
                   .working_dir = {},
                   .env = {},
                   .input = {},
                   .bounds = {.time_max = Milliseconds{500}}};
  auto result = must(terminals_->run(host_, std::move(wish)));
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.end.fate, ProcessFate::ended) << result.end.detail;
  EXPECT_EQ(processes_of(id), 1U);
}

TEST_F(Ender, AnImageWithMoreInItThanOneProgramIsNoHindrance) {
  auto id = container();
  output_of(id, {"rm", "/bin/sh", "/bin/ash"});
  auto asked = wish(id);
  asked.shell = "cat";
  auto view = open(asked);
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::ended) << end.process.detail;
  EXPECT_EQ(processes_of(id), 1U);
}

TEST_F(Ender, WithoutOneItIsToldThatItMayLiveOn) {
  use({});
  auto id = bare_container();
  auto view = open(bare_wish(id));
  EXPECT_THAT(view.may_live_on, HasSubstr("no shell"));
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::may_live_on);
  EXPECT_EQ(processes_of(id), 2U);
}

}  // namespace
}  // namespace gantry::fleet
