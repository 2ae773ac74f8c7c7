#include "executions/packing.hpp"

#include <gtest/gtest.h>

namespace gantry::executions {
namespace {

Submission full() {
  Submission submission;
  submission.program = {.language = "c",
                        .image = "gcc:latest",
                        .compile = sandbox::Compile{.command = {"cc", "main.c"},
                                                    .wall_time = Milliseconds{1},
                                                    .cpu_time = Milliseconds{2}},
                        .command = {"./a.out", "a b"},
                        .working_dir = "src",
                        .files = {{"main.c", std::string{"\0\xff", 2}, {}},
                                  {"run", "#!", sandbox::File::Mode::executable}},
                        .entry = "main.c",
                        .env = {{"A", "1"}, {"A", "2"}},
                        .input = "in"};
  submission.policy = {.wall_time = Milliseconds{3},
                       .cpu_time = Milliseconds{4},
                       .memory = Bytes{5},
                       .cpus = 0.5,
                       .pids = 6,
                       .output = Bytes{7},
                       .on_output_cap = sandbox::OnOutputCap::end,
                       .file = Bytes{8},
                       .tmpfs = Bytes{9},
                       .network = sandbox::Network::outbound,
                       .filesystem = sandbox::Filesystem::workspace,
                       .workspace = "w",
                       .runtime = sandbox::Runtime::runsc};
  submission.executor = sandbox::ExecutorChoice::local;
  submission.input = Input::interactive;
  submission.terminal = {.rows = 10, .columns = 20};
  submission.webhook = "http://example.org/";
  return submission;
}

TEST(Packing, AProgramComesBackWhole) {
  auto wanted = full().program;
  auto back = unpack(pack(full(), {})).value().submission.program;
  EXPECT_EQ(back.language, wanted.language);
  EXPECT_EQ(back.image, wanted.image);
  EXPECT_EQ(back.command, wanted.command);
  EXPECT_EQ(back.working_dir, wanted.working_dir);
  EXPECT_EQ(back.entry, wanted.entry);
  EXPECT_EQ(back.env, wanted.env);
  EXPECT_EQ(back.input, wanted.input);
  EXPECT_EQ(back.compile->command, wanted.compile->command);
  EXPECT_EQ(back.compile->wall_time, wanted.compile->wall_time);
  EXPECT_EQ(back.compile->cpu_time, wanted.compile->cpu_time);
  ASSERT_EQ(back.files.size(), 2U);
  EXPECT_EQ(back.files[0].content, wanted.files[0].content);
  EXPECT_EQ(back.files[1].path, "run");
  EXPECT_EQ(back.files[1].mode, sandbox::File::Mode::executable);
}

TEST(Packing, ItsPolicyToo) {
  auto wanted = full().policy;
  auto back = unpack(pack(full(), {})).value().submission.policy;
  EXPECT_EQ(back.wall_time, wanted.wall_time);
  EXPECT_EQ(back.cpu_time, wanted.cpu_time);
  EXPECT_EQ(back.memory, wanted.memory);
  EXPECT_EQ(back.cpus, wanted.cpus);
  EXPECT_EQ(back.pids, wanted.pids);
  EXPECT_EQ(back.output, wanted.output);
  EXPECT_EQ(back.on_output_cap, wanted.on_output_cap);
  EXPECT_EQ(back.file, wanted.file);
  EXPECT_EQ(back.tmpfs, wanted.tmpfs);
  EXPECT_EQ(back.network, wanted.network);
  EXPECT_EQ(back.filesystem, wanted.filesystem);
  EXPECT_EQ(back.workspace, wanted.workspace);
  EXPECT_EQ(back.runtime, wanted.runtime);
}

TEST(Packing, AndWhatWasAskedAboutIt) {
  auto back = unpack(pack(full(), {})).value().submission;
  EXPECT_EQ(back.executor, sandbox::ExecutorChoice::local);
  EXPECT_EQ(back.input, Input::interactive);
  EXPECT_EQ(back.terminal->rows, 10);
  EXPECT_EQ(back.terminal->columns, 20);
  EXPECT_EQ(back.webhook, "http://example.org/");
  EXPECT_FALSE(unpack(pack(Submission{}, {}))->submission.terminal);
}

TEST(Packing, WhoAskedComesBackWithTheirBounds) {
  Caller caller{.user = "ann",
                .token = "t",
                .running_max = 2,
                .logins = sandbox::Logins::none,
                .user_id = "u1"};
  auto back = unpack(pack(full(), caller)).value().caller;
  EXPECT_EQ(back.user, "ann");
  EXPECT_EQ(back.token, "t");
  EXPECT_EQ(back.user_id, "u1");
  EXPECT_EQ(back.running_max, 2U);
  EXPECT_EQ(back.logins, sandbox::Logins::none);
  EXPECT_EQ(back.queued_max, Caller::unbounded);
}

TEST(Packing, WhatWasCutIsRefused) {
  auto packed = pack(full(), {});
  EXPECT_EQ(unpack({packed.about, packed.content + "x"}).error().code, "program_unreadable");
  EXPECT_EQ(unpack({packed.about, packed.content.substr(1)}).error().code, "program_unreadable");
  EXPECT_EQ(unpack({"{}", ""}).error().code, "program_unreadable");
  EXPECT_EQ(unpack({"", ""}).error().code, "program_unreadable");
}

}  // namespace
}  // namespace gantry::executions
