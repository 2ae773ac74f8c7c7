#include "api/piston.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api::piston {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PistonJobTest : public testing::Test {
 protected:
  Result<Job> read(std::string_view body) const {
    auto value = value_or_throw(json::parse(body, json::Keys::tolerant));
    return read_job(value, languages_, bounds_);
  }
  /// A python job with more members.
  static std::string python(std::string_view more = {}) {
    std::string body = R"({"language":"python","version":"*","files":[{"content":"print 1"}])";
    return body + (more.empty() ? "" : ",") + std::string{more} + "}";
  }
  std::string refusal(std::string_view body) const {
    auto job = read(body);
    return job ? "none" : job.error().message;
  }
  sandbox::Submission submission(std::string_view body) const {
    return value_or_throw(read(body)).submission;
  }

  sandbox::Languages languages_;
  sandbox::PolicyBounds bounds_;
};

TEST_F(PistonJobTest, TheRequiredMembersAreAskedForInPistonsWords) {
  EXPECT_EQ(refusal("[]"), "language is required as a string");
  EXPECT_EQ(refusal(R"({"language":5})"), "language is required as a string");
  EXPECT_EQ(refusal(R"({"language":""})"), "language is required as a string");
  EXPECT_EQ(refusal(R"({"language":"python"})"), "version is required as a string");
  EXPECT_EQ(refusal(R"({"language":"python","version":3})"), "version is required as a string");
  EXPECT_EQ(refusal(R"({"language":"python","version":"*"})"), "files is required as an array");
  EXPECT_EQ(refusal(R"({"language":"python","version":"*","files":{}})"),
            "files is required as an array");
  EXPECT_EQ(refusal(R"({"language":"python","version":"*","files":[{"content":"x"},{}]})"),
            "files[1].content is required as a string");
  EXPECT_EQ(refusal(R"({"language":"python","version":"*","files":[]})"),
            "files must include at least one utf8 encoded file");
  EXPECT_EQ(refusal(R"({"language":"python","version":"*",)"
                    R"("files":[{"content":"eA==","encoding":"base64"}]})"),
            "files must include at least one utf8 encoded file");
}

TEST_F(PistonJobTest, VersionsAreRanges) {
  auto known = [&](const char* range) {
    return refusal(std::string{R"({"language":"python","version":")"} + range +
                   R"(","files":[{"content":"x"}]})");
  };
  for (const auto* range : {"*", "3.x", "^3.10.0", ">=3", "3.11.0"}) {
    EXPECT_EQ(known(range), "none") << range;
  }
  EXPECT_EQ(known("2.x"), "python-2.x runtime is unknown");
  EXPECT_EQ(refusal(R"({"language":"cobol","version":"*","files":[]})"),
            "cobol-* runtime is unknown");
}

TEST_F(PistonJobTest, AnAliasIsToldByItsName) {
  auto job =
      read(R"({"language":"py","version":"*","files":[{"content":"x"}],"unknown":1})").value();
  EXPECT_EQ(job.language, "python");
  EXPECT_EQ(job.version, "3.11.0");
}

TEST_F(PistonJobTest, TheFirstTextFileIsTheProgram) {
  auto program = submission(R"({"language":"python","version":"*","files":[
    {"name":"data.bin","content":"AAE=","encoding":"base64"},
    {"name":"my_code.py","content":"print 1"},
    {"content":"6869","encoding":"hex"}]
})")
                     .program;
  EXPECT_EQ(program.entry, "my_code.py");
  ASSERT_EQ(program.files.size(), 3U);
  EXPECT_EQ(program.files[0].content, std::string("\0\1", 2));
  EXPECT_EQ(program.files[2].path, "file2.code");
  EXPECT_EQ(program.files[2].content, "hi");
}

TEST_F(PistonJobTest, AnUnnamedProgramIsCalledAsUsual) {
  EXPECT_EQ(submission(python()).program.entry, "main.py");
  auto c = R"({"language":"c","version":"*","files":[{"name":"code","content":""}]})";
  EXPECT_EQ(submission(c).program.entry, "code.c");
}

TEST_F(PistonJobTest, PathsAreJoinedAndMayNotLeave) {
  auto body = [](std::string_view name) {
    return R"({"language":"python","version":"*","files":[{"name":")" + std::string{name} +
           R"(","content":""}]})";
  };
  EXPECT_EQ(submission(body("/a/../b//./c.py")).program.entry, "b/c.py");
  auto job = read(body("../x.py"));
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, "path_escapes");
}

TEST_F(PistonJobTest, StdinEndsWithItsLine) {
  EXPECT_EQ(submission(python(R"("stdin":"5")")).program.input, "5\n");
  EXPECT_EQ(submission(python(R"("stdin":"5\n")")).program.input, "5\n");
  EXPECT_EQ(submission(python(R"("stdin":"")")).program.input, "");
  EXPECT_EQ(submission(python(R"("stdin":null)")).program.input, "");
}

TEST_F(PistonJobTest, ArgumentsAreSpread) {
  auto args = [&](const char* args) {
    auto command = submission(python(std::string{R"("args":)"} + args)).program.command;
    auto entry = std::ranges::find(command, "main.py");
    return std::vector<std::string>(entry + 1, command.end());
  };
  EXPECT_THAT(args(R"(["a","b c"])"), ElementsAre("a", "b c"));
  EXPECT_THAT(args(R"("aé")"), ElementsAre("a", "é"));
  EXPECT_THAT(args("[1,true]"), ElementsAre("1", "true"));
  EXPECT_THAT(args("null"), ElementsAre());
  EXPECT_EQ(refusal(python(R"("args":[[]])")), "args must be an array of strings");
  EXPECT_EQ(refusal(python(R"("args":5)")), "args must be an array of strings");
}

TEST_F(PistonJobTest, LimitsHavePistonsDefaultsAndWords) {
  auto policy = submission(python()).policy;
  EXPECT_EQ(policy.wall_time, Milliseconds{3'000});
  EXPECT_EQ(policy.cpu_time, Milliseconds{3'000});
  EXPECT_EQ(policy.on_output_cap, sandbox::OnOutputCap::end);
  auto given = submission(python(R"("run_timeout":500,"run_cpu_time":0,"compile_timeout":10000,)"
                                 R"("run_memory_limit":100000000)"))
                   .policy;
  EXPECT_EQ(given.wall_time, Milliseconds{500});
  EXPECT_EQ(given.cpu_time, Milliseconds{3'000});
  EXPECT_EQ(given.memory.count, 100'000'000U);
  EXPECT_EQ(refusal(python(R"("run_timeout":3001)")),
            "run_timeout cannot exceed the configured limit of 3000");
  EXPECT_EQ(refusal(python(R"("compile_timeout":10001)")),
            "compile_timeout cannot exceed the configured limit of 10000");
  EXPECT_EQ(refusal(python(R"("run_timeout":"1")")), "If specified, run_timeout must be a number");
  EXPECT_EQ(refusal(python(R"("run_cpu_time":-1)")), "run_cpu_time must be non-negative");
  EXPECT_EQ(refusal(python(R"("run_timeout":null,"run_cpu_time":"","compile_timeout":false)")),
            "none");
}

TEST_F(PistonJobTest, AMemoryLimitBelowZeroIsNone) {
  auto usual = submission(python()).policy.memory;
  EXPECT_EQ(submission(python(R"("run_memory_limit":-1,"compile_memory_limit":-1)")).policy.memory,
            usual);
  EXPECT_EQ(submission(python(R"("run_memory_limit":1)")).policy.memory.count,
            static_cast<std::uint64_t>(bounds_.number("memory_bytes").min));
  EXPECT_THAT(refusal(python(R"("run_memory_limit":1e15)")),
              HasSubstr("run_memory_limit cannot exceed the configured limit of"));
}

TEST_F(PistonJobTest, AServersNarrowerBoundsHold) {
  auto narrow = json::parse(R"({"wall_time_ms":{"max":1000},"cpu_time_ms":{"max":800},
                                "on_output_cap":{"allowed":["truncate"]}})",
                            json::Keys::strict);
  bounds_ = value_or_throw(bounds_.narrowed(*narrow, "limits"));
  auto policy = submission(python()).policy;
  EXPECT_EQ(policy.wall_time, Milliseconds{1'000});
  EXPECT_EQ(policy.cpu_time, Milliseconds{800});
  EXPECT_EQ(policy.on_output_cap, sandbox::OnOutputCap::truncate);
  EXPECT_EQ(refusal(python(R"("run_timeout":1001)")),
            "run_timeout cannot exceed the configured limit of 1000");
}

TEST_F(PistonJobTest, ACompilerHasItsOwnTimesAndEnoughMemory) {
  auto c = submission(R"({"language":"c","version":"*","files":[{"content":""}],)"
                      R"("compile_timeout":5000,"run_memory_limit":33554432})");
  ASSERT_TRUE(c.program.compile);
  EXPECT_EQ(c.program.compile->wall_time, Milliseconds{5'000});
  EXPECT_GE(c.policy.memory.count, sandbox::Policy{}.memory.count);
}

TEST_F(PistonJobTest, WhatOurOwnApiRefusesIsRefused) {
  EXPECT_THAT(refusal(R"({"language":"python","version":"*","files":[{"content":"x"},)"
                      R"({"content":"?","encoding":"base64"}]})"),
              HasSubstr("must be base64"));
  EXPECT_THAT(refusal(R"({"language":"python","version":"*","files":[)"
                      R"({"name":"a.py","content":""},{"name":"a.py","content":""}]})"),
              HasSubstr("twice"));
}

TEST(PistonSignalTest, HaveTheirNumbers) {
  EXPECT_EQ(signal_number("SIGTERM"), 15);
  EXPECT_EQ(signal_number("SIGKILL"), 9);
  EXPECT_EQ(signal_number("SIGIOT"), 6);
  EXPECT_FALSE(signal_number("SIGNOTHING"));
  EXPECT_FALSE(signal_number("signal 0"));
  EXPECT_FALSE(signal_number(""));
}

}  // namespace
}  // namespace gantry::api::piston
