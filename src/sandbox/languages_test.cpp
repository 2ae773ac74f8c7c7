#include "sandbox/languages.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<Languages> changed(std::string_view text) {
  return Languages::read(value_or_throw(json::parse(text, json::Keys::strict)));
}

std::string mistake(std::string_view text) {
  auto languages = changed(text);
  return languages ? "none" : languages.error().message;
}

TEST(LanguagesTest, AreToldInTheOrderOfTheirTable) {
  EXPECT_EQ(shipped_languages().names(),
            "python, javascript, typescript, bash, sh, c, c++, go, rust, java, ruby, php, perl, "
            "lua, r");
}

TEST(LanguagesTest, AreFoundByNameAndAliasInAnyCase) {
  const auto& languages = shipped_languages();
  EXPECT_EQ(languages.find("Python3")->name, "python");
  EXPECT_EQ(languages.find("cpp")->name, "c++");
  EXPECT_EQ(languages.find("shell")->name, "sh");
  EXPECT_EQ(languages.find("cobol"), nullptr);
  EXPECT_EQ(languages.find(""), nullptr);
}

TEST(LanguagesTest, AreFoundByTheExtensionOfAFile) {
  const auto& languages = shipped_languages();
  EXPECT_EQ(languages.of_file("a/b.py")->name, "python");
  EXPECT_EQ(languages.of_file("x.cc")->name, "c++");
  EXPECT_EQ(languages.of_file("x.c")->name, "c");
  EXPECT_EQ(languages.of_file("x.R")->name, "r");
  EXPECT_EQ(languages.of_file("py"), nullptr);
}

TEST(LanguagesTest, ShippedOnesNameTheirEntryByTheirExtension) {
  for (const auto& language : shipped_languages().all()) {
    EXPECT_TRUE(language.has_extension(language.entry_file) || language.name == "bash")
        << language.name;
  }
}

TEST(LanguagesTest, AConfigurationChangesWhatItNames) {
  auto languages =
      value_or_throw(changed(R"({"python":{"image":"python:3.13","version":"3.13"}})"));
  const auto* python = languages.find("py");
  EXPECT_EQ(python->image, "python:3.13");
  EXPECT_THAT(python->run, ElementsAre("python3", "-u", "{entry}"));
  EXPECT_EQ(languages.all().front().name, "python") << "it keeps its place";
}

TEST(LanguagesTest, AConfigurationAddsAndRemoves) {
  auto languages = value_or_throw(changed(R"({"php":{"enabled":false},"nim":{"image":"nimlang/nim",
      "extensions":[".nim"],"entry":"main.nim","run":["nim","r","{entry}"],
      "env":{"A":"1"},"limits":{"pids":100},"compile_time_ms":5}})"));
  EXPECT_EQ(languages.find("php"), nullptr);
  const auto* nim = languages.find("nim");
  EXPECT_THAT(nim->compile, IsEmpty());
  EXPECT_EQ(nim->compile_time, Milliseconds{5});
  EXPECT_EQ(nim->limits, (UsualLimits{{"pids", 100}}));
  EXPECT_EQ(languages.all().back().name, "nim");
}

TEST(LanguagesTest, AConfigurationThatCanNotBeIsRefusedByKey) {
  EXPECT_EQ(mistake(R"({"nim":{}})"), "field 'languages.nim.image' is missing");
  EXPECT_EQ(mistake(R"({"python":{"run":[]}})"), "field 'languages.python.run' is missing");
  EXPECT_EQ(mistake(R"({"python":{"speed":1}})"), "field 'languages.python.speed' is unknown");
  EXPECT_EQ(mistake(R"({"python":{"extensions":["py"]}})"),
            "field 'languages.python.extensions' must begin with a dot");
  EXPECT_EQ(mistake(R"({"python":{"entry":"a/main.py"}})"),
            "field 'languages.python.entry' must be the name of a file");
  EXPECT_EQ(mistake(R"({"python":{"aliases":["js"]}})"),
            "field 'languages.javascript' has the name 'js', which is another's");
  EXPECT_THAT(mistake(R"({"Python 3":{}})"), HasSubstr("must have a name of 1 to 32"));
  EXPECT_THAT(mistake(R"({"python":{"limits":{"pids":1}}})"),
              HasSubstr("'languages.python.limits.pids' must be between 4 and 32768"));
  EXPECT_EQ(mistake(R"({"python":1})"), "field 'languages.python' must be an object");
  EXPECT_EQ(mistake(R"({"python":{"enabled":0}})"),
            "field 'languages.python.enabled' must be true or false");
  EXPECT_EQ(mistake("[]"), "field 'languages' must be an object");
  EXPECT_THAT(mistake(R"({"python":{"image":"NO IMAGE"}})"), HasSubstr("'languages.python.image'"));
}

TEST(CommandTest, HasItsPlacesFilled) {
  Language language;
  language.extensions = {".x"};
  CommandFiles files{
      .entry = "src/a.b.x", .paths = {"z.x", "src/a.b.x", "src/c.x", "d.txt"}, .box = "."};
  EXPECT_THAT(command_of(language, {"run", "{entry}", "{stem}", "-o{box}/out"}, files),
              ElementsAre("run", "src/a.b.x", "src/a.b", "-o./out"));
  EXPECT_THAT(command_of(language, {"{sources}"}, files),
              ElementsAre("src/a.b.x", "z.x", "src/c.x"));
  EXPECT_THAT(command_of(language, {"{siblings}"}, files), ElementsAre("src/a.b.x", "src/c.x"));
}

TEST(CommandTest, NamesFilesFromTheTopForOtherFolders) {
  Language language;
  language.extensions = {".x"};
  CommandFiles files{.entry = "a.x", .paths = {"a.x", "b.x"}, .box = "/box"};
  EXPECT_THAT(command_of(language, {"{sources}", "{box}/main", "{stem}"}, files),
              ElementsAre("/box/a.x", "/box/b.x", "/box/main", "a"));
}

TEST(CommandTest, ThinksNothingOfFilesThatLookLikePlaces) {
  Language language;
  language.extensions = {".x"};
  CommandFiles files{.entry = "{box}{stem}.x", .paths = {"{box}{stem}.x"}};
  EXPECT_THAT(command_of(language, {"{entry}", "{stem}"}, files),
              ElementsAre("{box}{stem}.x", "{box}{stem}"));
}

TEST(CommandTest, AFileWithoutAnExtensionIsItsOwnStem) {
  Language language;
  EXPECT_THAT(command_of(language, {"{stem}"}, {.entry = "a.d/run", .paths = {}}),
              ElementsAre("a.d/run"));
}

}  // namespace
}  // namespace gantry::sandbox
