#include "async/deadline.hpp"
#include "base/text.hpp"
#include "integration/terminal_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::fleet {
namespace {

using engine::ProcessFate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using May = TerminalViewer::May;

class Terminals : public TerminalFixture {};

TEST_F(Terminals, AShellAnswersWhatIsTyped) {
  auto view = open(wish(container()));
  EXPECT_EQ(view.wish.shell, "ash");
  EXPECT_EQ(view.may_live_on, "");
  auto viewer = join(view.id);
  type(*viewer, "echo $((6 * 7)) $TERM\n");
  EXPECT_THAT(shown(*viewer, "42"), HasSubstr("42 xterm-256color"));
}

TEST_F(Terminals, ItEndsWithItsShellAndTellsTheExitCode) {
  auto view = open(wish(container()));
  auto viewer = join(view.id);
  type(*viewer, "exit 7\n");
  auto end = ended(*viewer);
  EXPECT_EQ(end.reason, TerminalEnding::exited);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(end.process.fate, ProcessFate::ended);
  viewer.reset();
  until_gone(view.id);
  EXPECT_THAT(audit(), ElementsAre("ada terminal.open ok", "ada terminal.open begun"));
}

TEST_F(Terminals, WhatEndedBeforeAnybodyLookedIsShownAllTheSame) {
  auto asked = wish(container());
  asked.shell = "sh";
  asked.arguments = {"-c", "echo shor''t; exit 9"};
  auto view = open(asked);
  EXPECT_EQ(view.may_live_on, "");
  run(async::pause(Milliseconds{300}));
  auto viewer = join(view.id);
  EXPECT_THAT(shown(*viewer, "short"), HasSubstr("short"));
  EXPECT_EQ(ended(*viewer).exit_code, 9);
  until_gone(view.id);
}

TEST_F(Terminals, UserFolderAndEnvironmentAreAsAskedFor) {
  auto asked = wish(container());
  asked.user = "65534:65534";
  asked.working_dir = "/tmp";
  asked.env = {{"COLOUR", "blue"}};
  auto viewer = join(open(asked).id);
  type(*viewer, "echo \"<$(id -u) $PWD $COLOUR>\"\n");
  EXPECT_THAT(shown(*viewer, "blue>"), HasSubstr("<65534 /tmp blue>"));
}

TEST_F(Terminals, ItHasTheSizeOfTheScreen) {
  auto asked = wish(container());
  asked.size = {.columns = 101, .rows = 33};
  auto viewer = join(open(asked).id);
  type(*viewer, "stty size; echo do''ne\n");
  EXPECT_THAT(shown(*viewer, "done"), HasSubstr("33 101"));
  viewer->resize({.columns = 77, .rows = 22});
  type(*viewer, "while [ \"$(stty size)\" != '22 77' ]; do sleep 0.05; done; echo chang''ed\n");
  shown(*viewer, "changed");
  EXPECT_EQ(viewer->view().wish.size, (engine::TerminalSize{.columns = 77, .rows = 22}));
}

TEST_F(Terminals, EveryBytePassesAsItIs) {
  auto viewer = join(open(wish(container())).id);
  type(*viewer,
       "stty raw -echo; echo rea''dy; head -c 256 | od -An -v -tx1 | tr -d ' \\n'; echo\n");
  shown(*viewer, "ready");
  std::string all;
  std::string expected;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    expected += fmt::format("{:02x}", byte);
  }
  type(*viewer, all);
  EXPECT_THAT(shown(*viewer, "ff"), HasSubstr(expected));
}

TEST_F(Terminals, CharactersThatAreCutByPiecesComeWhole) {
  auto viewer = join(open(wish(container())).id);
  type(*viewer,
       "i=0; while [ $i -lt 9000 ]; do printf '\\342\\202\\254\\360\\237\\230\\200x'; "
       "i=$((i + 1)); done; echo; echo fini''shed\n");
  auto output = shown(*viewer, "finished");
  EXPECT_TRUE(text::valid_utf8(output));
  std::string one = "\xe2\x82\xac\xf0\x9f\x98\x80x";
  std::string all;
  for (int i = 0; i < 9000; ++i) all += one;
  EXPECT_TRUE(output.contains(all));
}

TEST_F(Terminals, AHugePasteArrivesWhole) {
  auto viewer = join(open(wish(container())).id);
  type(*viewer, "stty raw -echo; echo rea''dy; head -c 5000000 | sha256sum\n");
  shown(*viewer, "ready");
  std::string piece(100'000, 'x');
  for (int i = 0; i < 50; ++i) type(*viewer, piece);
  // sha256 of 5,000,000 times 'x'
  auto sum =
      output_of(container(), {"sh", "-c", "yes | tr '\\ny' xx | head -c 5000000 | sha256sum"});
  EXPECT_THAT(shown(*viewer, " -"), HasSubstr(sum.substr(0, 64)));
}

TEST_F(Terminals, WhoComesBackSeesWhatWasThere) {
  auto view = open(wish(container()));
  auto first = join(view.id);
  type(*first, "echo bef''ore\n");
  shown(*first, "before");
  first.reset();
  auto second = join(view.id);
  EXPECT_THAT(second->replay(), HasSubstr("before"));
  type(*second, "echo aft''er\n");
  EXPECT_THAT(shown(*second, "after"), HasSubstr("before"));
}

TEST_F(Terminals, TheReplayIsTheLastOfALongOutput) {
  use({.replay_max = 64U << 10U});
  auto view = open(wish(container()));
  auto first = join(view.id);
  type(*first, "seq 1 50000; echo do''ne\n");
  shown(*first, "done");
  auto second = join(view.id);
  EXPECT_LE(second->replay().size(), 64U << 10U);
  EXPECT_GT(second->replay().size(), 60U << 10U);
  EXPECT_THAT(second->replay(), HasSubstr("50000\r\ndone"));
}

TEST_F(Terminals, ASecondViewerSeesTheSame) {
  auto view = open(wish(container()));
  auto first = join(view.id);
  auto second = join(view.id, May::watch);
  EXPECT_FALSE(second->may_type());
  type(*first, "echo sha''red\n");
  EXPECT_THAT(shown(*second, "shared"), HasSubstr("shared"));
  EXPECT_EQ(terminals_->find(view.id)->viewers, 2U);
}

TEST_F(Terminals, ProcessesEndWithIt) {
  auto id = container();
  auto view = open(wish(id));
  auto viewer = join(view.id);
  type(*viewer, "sleep 7001 & sleep 7002 & (trap '' HUP; sleep 7003) & echo sta''rted\n");
  shown(*viewer, "started");
  type(*viewer, "sleep 7004\n");
  shown(*viewer, "7004");
  EXPECT_THAT(processes(id), HasSubstr("sleep 7003"));
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::ended) << end.process.detail;
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 700")));
}

TEST_F(Terminals, ADaemonWithASessionOfItsOwnGoesOn) {
  auto id = container();
  auto view = open(wish(id));
  auto viewer = join(view.id);
  type(*viewer, "setsid sleep 7010 </dev/null >/dev/null 2>&1 & sleep 0.3; echo sta''rted\n");
  shown(*viewer, "started");
  EXPECT_EQ(must(terminals_->end(view.id, TerminalEnding::closed)).process.fate,
            ProcessFate::ended);
  EXPECT_THAT(processes(id), HasSubstr("sleep 7010"));
}

TEST_F(Terminals, WhatBecameSomebodyElseIsEndedToo) {
  auto id = container();
  auto view = open(wish(id));
  auto viewer = join(view.id);
  type(*viewer, "exec env -i /bin/setpriv --reuid 65534 /bin/sh\n");
  type(*viewer, "id -u; sleep 7020\n");
  shown(*viewer, "65534");
  EXPECT_EQ(must(terminals_->end(view.id, TerminalEnding::closed)).process.fate,
            ProcessFate::ended);
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 7020")));
}

TEST_F(Terminals, NobodyIsToldThatAProcessEndedWhichCanNotBe) {
  auto id = container();
  output_of(id, {"rm", "/bin/sh", "/bin/ash"});
  auto refused = run(terminals_->open(host_, wish(id)));
  EXPECT_EQ(refused.error().code, "no_shell");
  auto asked = wish(id);
  asked.shell = "cat";
  auto view = open(asked);
  EXPECT_THAT(view.may_live_on, HasSubstr("no shell"));
  auto end = must(terminals_->end(view.id, TerminalEnding::closed));
  EXPECT_EQ(end.process.fate, ProcessFate::may_live_on);
  EXPECT_THAT(end.process.detail, HasSubstr("no shell"));
}

TEST_F(Terminals, OneThatNobodyWatchesEnds) {
  use({.abandoned_after = Milliseconds{300}, .look = Milliseconds{50}});
  auto id = container();
  auto view = open(wish(id));
  auto viewer = join(view.id);
  type(*viewer, "sleep 7030\n");
  shown(*viewer, "7030");
  viewer.reset();
  until_gone(view.id);
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 7030")));
}

TEST_F(Terminals, OneInWhichNothingHappensEnds) {
  use({.idle_after = Milliseconds{400}, .look = Milliseconds{50}});
  auto viewer = join(open(wish(container())).id);
  EXPECT_EQ(ended(*viewer).reason, TerminalEnding::idle);
}

TEST_F(Terminals, OneDoesNotLiveForEver) {
  use({.age_max = Milliseconds{400}, .look = Milliseconds{50}});
  auto viewer = join(open(wish(container())).id);
  EXPECT_EQ(ended(*viewer).reason, TerminalEnding::too_old);
}

TEST_F(Terminals, TheServersEndIsItsEnd) {
  auto id = container();
  auto viewer = join(open(wish(id)).id);
  type(*viewer, "sleep 7040\n");
  shown(*viewer, "7040");
  run(terminals_->close());
  EXPECT_EQ(ended(*viewer).reason, TerminalEnding::server_stopping);
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 7040")));
}

TEST_F(Terminals, WhoReadsTooSlowlyIsCutAndTheOthersGoOn) {
  use({.viewer_max = 64U << 10U, .viewer_full = 16U << 10U});
  auto view = open(wish(container()));
  auto fast = join(view.id);
  auto slow = join(view.id, May::watch);
  type(*fast, "seq 1 100000; echo do''ne\n");
  shown(*fast, "done");
  auto news = run(slow->next());
  ASSERT_TRUE(news.cut);
  EXPECT_EQ(news.cut->code, "too_slow");
  EXPECT_TRUE(terminals_->find(view.id));
}

TEST_F(Terminals, WhoStandsStillIsCutAndTheShellGoesOn) {
  use({.viewer_full = 16U << 10U, .stall_max = Milliseconds{200}, .look = Milliseconds{50}});
  auto view = open(wish(container()));
  auto viewer = join(view.id);
  type(*viewer, "seq 1 100000; echo do''ne\n");
  // Nothing is taken before it is cut, which can be seen from without.
  until_cut(*viewer);
  viewer.reset();
  auto again = join(view.id);
  EXPECT_THAT(shown(*again, "done"), HasSubstr("100000"));
}

TEST_F(Terminals, TheyAreBounded) {
  use({.of_user_max = 1, .viewers_max = 1});
  auto id = container();
  auto view = open(wish(id));
  EXPECT_EQ(run(terminals_->open(host_, wish(id))).error().code, "too_many_terminals");
  auto other = wish(id);
  other.owner = {.name = "bob", .id = "u2", .by = "session"};
  open(other);
  auto viewer = join(view.id);
  EXPECT_EQ(terminals_->join(view.id, May::watch).error().code, "too_many_viewers");
}

TEST_F(Terminals, WhatCanNotBeStartedIsRefused) {
  auto id = container();
  auto asked = wish(id);
  asked.shell = "/no/such/shell";
  EXPECT_EQ(run(terminals_->open(host_, asked)).error().code, "exec_not_started");
  asked = wish(id);
  asked.user = "nobody-of-that-name";
  EXPECT_EQ(run(terminals_->open(host_, asked)).error().code, "exec_not_started");
  asked = wish(id);
  asked.working_dir = "/no/such/folder";
  EXPECT_EQ(run(terminals_->open(host_, asked)).error().code, "exec_not_started");
  EXPECT_EQ(run(terminals_->open(host_, wish("no-such-container"))).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(run(terminals_->open(host_, wish(create(sleeper())))).error().kind,
            ErrorKind::conflict);
  EXPECT_TRUE(terminals_->list().empty());
}

TEST_F(Terminals, WhatIsShownIsRecordedWhereTheHostWantsIt) {
  use({}, {}, Recorded::yes);
  auto view = open(wish(container()));
  ASSERT_NE(view.recording, "");
  auto viewer = join(view.id);
  type(*viewer, "echo rec''orded; exit\n");
  EXPECT_EQ(ended(*viewer).reason, TerminalEnding::exited);
  auto recording = run(recordings_->find(RecordingId{view.recording}));
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->state, "exited");
  auto reader = must(recordings_->open(recording->id));
  std::string cast;
  for (auto piece = run(reader.next()); !piece.empty(); piece = run(reader.next())) cast += piece;
  EXPECT_THAT(cast, HasSubstr("{\"version\":2,\"width\":80,\"height\":24"));
  EXPECT_THAT(cast, HasSubstr("recorded"));
}

TEST_F(Terminals, OneThatCanNotBeRecordedAnyMoreEnds) {
  use({}, {.one_max = Bytes{4096}}, Recorded::yes);
  auto id = container();
  auto viewer = join(open(wish(id)).id);
  type(*viewer, "sleep 7050 & seq 1 100000\n");
  EXPECT_EQ(ended(*viewer).reason, TerminalEnding::recording_failed);
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 7050")));
}

}  // namespace
}  // namespace gantry::fleet
