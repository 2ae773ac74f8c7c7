#include "sandbox/program.hpp"

#include "base/encoding.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Result<Program> read(std::string_view text) {
  auto value = json::parse(text, json::Keys::strict);
  if (!value) return fail(value.error());
  json::Fields fields{*value, "", json::Keys::strict};
  auto program = read_program(fields);
  if (auto done = fields.finish(); !done) return fail(done.error());
  return program;
}

Program must(std::string_view text) { return value_or_throw(read(text)); }

/// `files` with `count` empty ones.
std::string files(std::size_t count) {
  json::Array items;
  for (std::size_t i = 0; i < count; ++i) {
    items.push_back(json::Object{{"path", fmt::format("f{}", i)}});
  }
  return json::serialize(items);
}

std::string text_of(std::size_t size) { return std::string(size, 'a'); }

TEST(ProgramTest, ASourceIsTheLanguagesEntryFileAndRunsByItsCommand) {
  auto program = must(R"({"language":"python","source":"print 1"})");
  EXPECT_EQ(program.language, "python");
  EXPECT_EQ(program.image, "python:3.11-alpine");
  EXPECT_THAT(program.command, ElementsAre("python3", "-u", "main.py"));
  ASSERT_EQ(program.files.size(), 1U);
  EXPECT_EQ(program.files[0].path, "main.py");
  EXPECT_EQ(program.files[0].content, "print 1");
}

TEST(ProgramTest, AnAliasIsToldAsTheLanguagesName) {
  EXPECT_EQ(must(R"({"language":"js","source":""})").language, "javascript");
}

TEST(ProgramTest, ArgumentsComeBehindTheEntryFileInTheirOrder) {
  auto program = must(R"({"language":"sh","source":"","args":["b","a",""]})");
  EXPECT_THAT(program.command, ElementsAre("sh", "main.sh", "b", "a", ""));
}

TEST(ProgramTest, WithoutASourceTheFirstFileWithTheExtensionIsTheEntry) {
  auto program = must(R"({"language":"python","files":[
      {"path":"data.txt"},{"path":"lib/second.py"},{"path":"third.py"}]})");
  EXPECT_EQ(program.command.back(), "lib/second.py");
  EXPECT_EQ(program.files.size(), 3U);
}

TEST(ProgramTest, TheEntryFileIsFoundByItsNameWhateverTheExtension) {
  auto program = must(R"({"language":"bash","files":[{"path":"main.sh","content":"ls"}]})");
  EXPECT_THAT(program.command, ElementsAre("sh", "main.sh"));
}

TEST(ProgramTest, AnImageOfOnesOwnRunsTheLanguage) {
  auto program = must(R"({"language":"python","image":"python:3.13","source":""})");
  EXPECT_EQ(program.image, "python:3.13");
}

TEST(ProgramTest, AnImageWithACommandNeedsNoLanguage) {
  auto program = must(R"({"image":"busybox","command":["ls","-l"],"args":["/box"]})");
  EXPECT_EQ(program.language, "");
  EXPECT_THAT(program.command, ElementsAre("ls", "-l", "/box"));
}

TEST(ProgramTest, FilesAreTextOrBase64AndMayBeExecutable) {
  auto program = must(R"({"image":"a","command":["./run"],"files":[
      {"path":"run","content":"AAEC/w==","encoding":"base64","executable":true},
      {"path":"note","content":"ä"}]})");
  EXPECT_EQ(program.files[0].content, (std::string{"\0\1\2\xff", 4}));
  EXPECT_EQ(program.files[0].mode, File::Mode::executable);
  EXPECT_EQ(program.files[1].content, "ä");
  EXPECT_EQ(program.files[1].mode, File::Mode::plain);
}

TEST(ProgramTest, FilesMayBeHexadecimal) {
  auto program = must(R"({"image":"a","command":["./run"],"files":[
      {"path":"run","content":"00ff","encoding":"hex"}]})");
  EXPECT_EQ(program.files[0].content, (std::string{"\0\xff", 2}));
}

TEST(ProgramTest, TheEntryIsWhatTheSourceIsCalled) {
  auto program = must(R"({"language":"java","source":"","entry":"Hello.java"})");
  EXPECT_EQ(program.entry, "Hello.java");
  EXPECT_EQ(program.files[0].path, "Hello.java");
  EXPECT_THAT(program.compile->command, ElementsAre("javac", "-d", ".", "Hello.java"));
  EXPECT_THAT(program.command, ElementsAre("java", "-cp", ".", "Hello"));
}

TEST(ProgramTest, TheEntryIsWhichOfTheFilesStarts) {
  auto program = must(R"({"language":"python","entry":"b/run","files":[
      {"path":"a.py"},{"path":"b/run"}]})");
  EXPECT_EQ(program.entry, "b/run");
  EXPECT_THAT(program.command, ElementsAre("python3", "-u", "b/run"));
}

TEST(ProgramTest, TheUsualEntryFileGoesBeforeOthersWithTheExtension) {
  auto program = must(R"({"language":"python","files":[{"path":"a.py"},{"path":"main.py"}]})");
  EXPECT_EQ(program.entry, "main.py");
}

TEST(ProgramTest, InAnotherFolderTheProgramIsNamedFromTheTop) {
  auto program = must(R"({"language":"python","source":"","working_dir":"data/in"})");
  EXPECT_EQ(program.working_dir, "data/in");
  EXPECT_THAT(program.command, ElementsAre("python3", "-u", "/box/main.py"));
}

TEST(ProgramTest, ACompilationIsOfAllSourcesInTheirFolderOfAll) {
  auto program = must(R"({"language":"c","working_dir":"x","files":[{"path":"lib/a.c"},
      {"path":"main.c"},{"path":"a.h"}]})");
  EXPECT_THAT(program.compile->command,
              ElementsAre("gcc", "-std=gnu17", "-O2", "-o", "./main", "main.c", "lib/a.c", "-lm"));
  EXPECT_THAT(program.command, ElementsAre("/box/main"));
}

TEST(ProgramTest, ACompilationHasTimesOfItsOwn) {
  auto usual = must(R"({"language":"c","source":""})").compile;
  EXPECT_EQ(usual->wall_time, Milliseconds{30'000});
  EXPECT_EQ(usual->cpu_time, Milliseconds{30'000});
  auto asked = must(R"({"language":"c","source":"","compile_limits":{"wall_time_ms":700}})");
  EXPECT_EQ(asked.compile->wall_time, Milliseconds{700});
  EXPECT_EQ(asked.compile->cpu_time, Milliseconds{700});
}

TEST(ProgramTest, ALanguageHasVariablesThatARequestMayChange) {
  auto program = must(R"({"language":"go","source":"","env":{"GOCACHE":"/box/cache"}})");
  EXPECT_THAT(program.env, ::testing::Contains(Pair("CGO_ENABLED", "0")));
  EXPECT_EQ(program.env.front(), (std::pair<std::string, std::string>{"GOCACHE", "/box/cache"}));
}

TEST(SubmissionTest, TheLimitsSuitTheLanguageUnlessTheyAreGiven) {
  auto submit = [](std::string_view text) {
    auto value = value_or_throw(json::parse(text, json::Keys::strict));
    json::Fields fields{value, "", json::Keys::strict};
    return read_submission(fields, shipped_languages(), {}).policy.memory.count;
  };
  EXPECT_EQ(submit(R"({"language":"python","source":""})"), 256U << 20U);
  EXPECT_EQ(submit(R"({"language":"go","source":""})"), 1U << 30U);
  EXPECT_EQ(submit(R"({"language":"go","source":"","limits":{"memory_bytes":67108864}})"),
            64U << 20U);
}

TEST(SubmissionTest, ARefusedLimitIsAFieldOfTheRequest) {
  auto value = value_or_throw(
      json::parse(R"({"language":"sh","source":"","limits":{"pids":1}})", json::Keys::strict));
  json::Fields fields{value, "", json::Keys::strict};
  read_submission(fields, shipped_languages(), {});
  EXPECT_THAT(fields.finish().error().message, HasSubstr("'limits.pids' must be an integer"));
}

TEST(ProgramTest, EnvironmentAndInputArePassedOn) {
  auto program = must(R"({"language":"sh","source":"","env":{"A":"1","B":""},"stdin":"x\u0000y"})");
  EXPECT_THAT(program.env, ElementsAre(Pair("A", "1"), Pair("B", "")));
  EXPECT_EQ(program.input, (std::string{"x\0y", 3}));
}

TEST(ProgramTest, NullIsAsGoodAsAbsent) {
  auto program = must(R"({"language":"sh","source":"ls","image":null,"files":null,"args":null})");
  EXPECT_THAT(program.command, ElementsAre("sh", "main.sh"));
}

TEST(ProgramTest, EverythingMayBeAsLargeAsItsLimit) {
  auto most = program_limits.source_max;
  EXPECT_TRUE(read(fmt::format(R"({{"language":"sh","source":"{}"}})", text_of(most))));
  EXPECT_TRUE(read(fmt::format(R"({{"language":"sh","source":"","files":{}}})",
                               files(program_limits.files_max))));
  EXPECT_TRUE(read(fmt::format(R"({{"language":"sh","source":"","stdin":"{}"}})",
                               text_of(program_limits.input_max))));
}

TEST(ProgramTest, TheUnknownLanguageIsNamedWithTheKnownOnes) {
  auto refused = read(R"({"language":"cobol\n","source":""})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_EQ(refused.error().message,
            R"(field 'language' 'cobol\n' is unknown; it can be python, javascript, typescript, )"
            "bash, sh, c, c++, go, rust, java, ruby, php, perl, lua, r");
}

struct Refusal {
  std::string name;
  std::string body;
  std::string words;  ///< Part of the error's message.
};

class ProgramRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(ProgramRefusal, SaysWhichFieldAndWhy) {
  auto refused = read(GetParam().body);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(GetParam().words));
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
}

std::string named(const testing::TestParamInfo<Refusal>& info) { return info.param.name; }

std::string sh(std::string_view more) {
  return fmt::format(R"({{"language":"sh","source":"",{}}})", more);
}
std::string file_at(std::string_view path) {
  return sh(fmt::format(R"("files":[{{"path":"{}"}}])", path));
}

INSTANTIATE_TEST_SUITE_P(
    Shape, ProgramRefusal,
    testing::Values(
        Refusal{"NotAnObject", "[]", "'body' must be an object"},
        Refusal{"UnknownKey", sh(R"("sauce":"")"), "'sauce' is unknown"},
        Refusal{"OtherCase", sh(R"("Files":[])"), "'Files' is unknown"},
        Refusal{"DuplicateKey", sh(R"("source":"x")"), "'source' comes twice"},
        Refusal{"UnknownKeyOfAFile", sh(R"("files":[{"path":"a","mode":1}])"),
                "'files[0].mode' is unknown"},
        Refusal{"LanguageOfAnotherType", R"({"language":1})", "'language' must be a text"},
        Refusal{"SourceOfAnotherType", R"({"language":"sh","source":["ls"]})",
                "'source' must be a text"},
        Refusal{"FilesAsAnObject", sh(R"("files":{})"), "'files' must be an array"},
        Refusal{"AFileThatIsNone", sh(R"("files":["a"])"), "'files[0]' must be an object"},
        Refusal{"AFileWithoutAPath", sh(R"("files":[{"content":""}])"),
                "'files[0].path' is missing"},
        Refusal{"ContentOfAnotherType", sh(R"("files":[{"path":"a","content":1}])"),
                "'files[0].content' must be a text"},
        Refusal{"ExecutableAsText", sh(R"("files":[{"path":"a","executable":"yes"}])"),
                "'files[0].executable' must be true or false"},
        Refusal{"ArgumentsAsText", sh(R"("args":"a b")"), "'args' must be an array"},
        Refusal{"AnArgumentAsANumber", sh(R"("args":[1])"), "'args' must hold texts"},
        Refusal{"AVariableAsANumber", sh(R"("env":{"A":1})"), "'env' must hold only texts"},
        Refusal{"EnvironmentAsAnArray", sh(R"("env":["A=1"])"), "'env' must be an object"},
        Refusal{"InputAsANumber", sh(R"("stdin":1)"), "'stdin' must be a text"}),
    named);

INSTANTIATE_TEST_SUITE_P(
    Meaning, ProgramRefusal,
    testing::Values(
        Refusal{"Nothing", "{}", "'language' is missing"},
        Refusal{"UnknownLanguage", R"({"language":"cobol","source":""})", "is unknown"},
        Refusal{"EmptyLanguage", R"({"language":"","source":""})", "'language' must have 1"},
        Refusal{"NoSourceAndNoFile", R"({"language":"sh"})", "'source' is missing"},
        Refusal{"NoFileOfTheLanguage", R"({"language":"python","files":[{"path":"a.js"}]})",
                "no file ends in '.py'"},
        Refusal{"CommandWithALanguage", sh(R"("command":["ls"])"), "'command' can not be given"},
        Refusal{"ImageWithoutACommand", R"({"image":"a"})", "'command' is missing"},
        Refusal{"ImageWithAnEmptyCommand", R"({"image":"a","command":[""]})",
                "'command' is missing"},
        Refusal{"SourceWithAnImageAlone", R"({"image":"a","command":["sh"],"source":"ls"})",
                "'source' needs a 'language'"},
        Refusal{"AnImageThatIsNone", R"({"image":"UPPER//case","command":["sh"]})", "'image'"},
        Refusal{"AnImageAsAnOption", R"({"image":"--privileged","command":["sh"]})", "'image'"},
        Refusal{"SourceBesideItsOwnFile", sh(R"("files":[{"path":"main.sh"}])"),
                "has 'main.sh', which is what 'source' is called"},
        Refusal{"AnEntryThatIsNoFile", R"({"language":"sh","entry":"b","files":[{"path":"a.sh"}]})",
                "'entry' is none of 'files'"},
        Refusal{"AnEntryOfAnImage", R"({"image":"a","command":["sh"],"entry":"a"})",
                "'entry' needs a 'language'"},
        Refusal{"AnEntryElsewhere", sh(R"("entry":"/etc/passwd")"), "'entry' must be relative"},
        Refusal{"AnotherFolderUpwards", sh(R"("working_dir":"..")"), "'working_dir' must not"},
        Refusal{"AFileAsTheFolder", sh(R"("working_dir":"main.sh/x")"),
                "'working_dir' leads into 'main.sh', which is a file"},
        Refusal{"CompileLimitsOfNothing", sh(R"("compile_limits":{})"),
                "'compile_limits' mean nothing: sh is not compiled"},
        Refusal{"CompileLimitsOfAnImage", R"({"image":"a","command":["sh"],"compile_limits":{}})",
                "'compile_limits' need a 'language'"},
        Refusal{"ACompilationForEver",
                R"({"language":"c","source":"","compile_limits":{"cpu_time_ms":300001}})",
                "'compile_limits.cpu_time_ms' must be an integer between 1 and 300000"},
        Refusal{"BadHex", sh(R"("files":[{"path":"a","content":"0g","encoding":"hex"}])"),
                "'files[0].content' must be hex"},
        Refusal{"TheSameFileTwice", sh(R"("files":[{"path":"a"},{"path":"a"}])"),
                "names 'a' twice"},
        Refusal{"AFileThatIsAFolderToo", sh(R"("files":[{"path":"a/b/c"},{"path":"a/b"}])"),
                "has 'a/b' both as a file and as a folder"},
        Refusal{"AFileBelowTheSource", sh(R"("files":[{"path":"main.sh/x"}])"),
                "has 'main.sh' both"},
        Refusal{"BadBase64", sh(R"("files":[{"path":"a","content":"a*","encoding":"base64"}])"),
                "'files[0].content' must be base64"},
        Refusal{"UnknownEncoding", sh(R"("files":[{"path":"a","encoding":"latin1"}])"),
                "'files[0].encoding' must be 'utf8', 'base64' or 'hex'"},
        Refusal{"NulInACommand", R"({"image":"a","command":["a\u0000b"]})", "must not hold NUL"},
        Refusal{"NulInAnArgument", sh(R"("args":["\u0000"])"), "'args' must not hold NUL"},
        Refusal{"AVariableWithoutAName", sh(R"("env":{"":"1"})"), "'env' must have names"},
        Refusal{"AVariableWithAnEqualsSign", sh(R"("env":{"A=B":"1"})"), "'env' must have names"},
        Refusal{"NulInAVariable", sh(R"("env":{"A":"\u0000"})"), "no NUL anywhere"},
        Refusal{"NulInAVariablesName", sh(R"("env":{"A\u0000":""})"), "no NUL anywhere"}),
    named);

INSTANTIATE_TEST_SUITE_P(
    Paths, ProgramRefusal,
    testing::Values(Refusal{"Empty", file_at(""), "must have 1 to 512 bytes"},
                    Refusal{"Absolute", file_at("/etc/passwd"), "must be relative"},
                    Refusal{"Upwards", file_at("../x"), "'.' or '..'"},
                    Refusal{"UpwardsInside", file_at("a/../../x"), "'.' or '..'"},
                    Refusal{"UpwardsAtTheEnd", file_at("a/.."), "'.' or '..'"},
                    Refusal{"Here", file_at("./a"), "'.' or '..'"},
                    Refusal{"DoubleSlash", file_at("a//b"), "empty, '.' or '..'"},
                    Refusal{"SlashAtTheEnd", file_at("a/"), "empty, '.' or '..'"},
                    Refusal{"Nul", file_at(R"(a\u0000b)"), "must not hold NUL"},
                    Refusal{"Long", file_at(text_of(513)), "must have 1 to 512 bytes"},
                    Refusal{"LongComponent", file_at(text_of(256)), "over 255 bytes"}),
    named);

/// The body is made when it is needed: every start of this program would hold all of them.
struct LargeRefusal {
  std::string name;
  std::string (*body)();
  std::string words;  ///< Part of the error's message.
};

class LargeProgramRefusal : public testing::TestWithParam<LargeRefusal> {};

TEST_P(LargeProgramRefusal, SaysWhichFieldAndWhy) {
  auto refused = read(GetParam().body());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(GetParam().words));
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, LargeProgramRefusal,
    testing::Values(
        LargeRefusal{"Source",
                     [] {
                       return fmt::format(R"({{"language":"sh","source":"{}"}})",
                                          text_of(program_limits.source_max + 1));
                     },
                     "'source' must have 0 to 1048576 bytes"},
        LargeRefusal{"NumberOfFiles", [] { return sh(fmt::format(R"("files":{})", files(257))); },
                     "'files' must have at most 256 items"},
        LargeRefusal{"FilesTogether",
                     [] {
                       return sh(fmt::format(R"("files":[{{"path":"a","content":"{0}"}},
                                           {{"path":"b","content":"{0}"}}])",
                                             text_of((5U << 20U) + 1)));
                     },
                     "'files' must hold at most 10485760 bytes together"},
        LargeRefusal{"Base64Files",
                     [] {
                       return sh(fmt::format(
                           R"("files":[{{"path":"a","encoding":"base64","content":"{}"}}])",
                           encoding::base64(text_of((10U << 20U) + 1))));
                     },
                     "'files' must hold at most"},
        LargeRefusal{"Input",
                     [] { return sh(fmt::format(R"("stdin":"{}")", text_of((10U << 20U) + 1))); },
                     "'stdin' must have"},
        LargeRefusal{"OneArgument",
                     [] { return sh(fmt::format(R"("args":["{}"])", text_of((32U << 10U) + 1))); },
                     "'args' must hold texts of 0 to 32768 bytes"},
        LargeRefusal{
            "OneVariable",
            [] { return sh(fmt::format(R"("env":{{"A":"{}"}})", text_of((32U << 10U) + 1))); },
            "'env' must hold only texts of at most 32768 bytes"},
        LargeRefusal{"ArgumentsAndVariablesTogether",
                     [] {
                       return sh(fmt::format(
                           R"("args":["{0}","{0}","{0}"],"env":{{"A":"{0}","B":"{0}","C":"{0}"}})",
                           text_of(32U << 10U)));
                     },
                     "'args' and 'env' must have at most 196608 bytes together"}),
    [](const auto& info) { return info.param.name; });

TEST(ProgramTest, ManyArgumentsAndVariablesAreRefusedByTheirNumber) {
  json::Array args(257, json::Value{"a"});
  EXPECT_FALSE(read(sh(fmt::format(R"("args":{})", json::serialize(args)))));
  json::Object env;
  for (int i = 0; i < 257; ++i) env[fmt::format("V{}", i)] = "";
  EXPECT_FALSE(read(sh(fmt::format(R"("env":{})", json::serialize(env)))));
}

TEST(ProgramTest, APathMayBeDeepAndLong) {
  EXPECT_TRUE(check_file_path("a/b/c/..d/...e/" + text_of(255)));
  EXPECT_TRUE(check_file_path(text_of(255) + "/" + text_of(255)));
}

}  // namespace
}  // namespace gantry::sandbox
