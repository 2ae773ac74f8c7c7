#include "cli/completion.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Names = CommandShape::Names;
using Value = FlagShape::Value;

const std::vector<CommandShape> commands{
    {.name = "ps", .description = "List this machine's containers", .flags = {{"--json", "JSON"}}},
    {.name = "images",
     .description = "Images",
     .actions = {{.name = "make",
                  .description = "Make one",
                  .flags = {{"--engine", "Where", Value::other}}},
                 {.name = "list", .description = "List them"}}},
    {.name = "logs",
     .description = "Logs",
     .flags = {{"--host", "Of which host", Value::host}},
     .names = Names::containers},
    {.name = "completion", .description = "This", .words = {"bash", "zsh"}},
};

std::string script_of(std::string_view shell) {
  return value_or_throw(completion_script(shell, commands));
}

// What the shells make of them is seen in tests/dev/completion.bats.

TEST(Completion, OfBashHasEachCommandAndActionOnce) {
  auto script = script_of("bash");
  EXPECT_THAT(script, HasSubstr("compgen -W 'ps images logs completion'"));
  EXPECT_THAT(script, HasSubstr("    images) ((COMP_CWORD == 2)) || place+="));
  EXPECT_THAT(script, HasSubstr("    'images')\n      words=\"make list\"\n"));
  EXPECT_THAT(script, HasSubstr("    'images make')\n      words=\"\"\n      flags='--engine'\n"
                                "      valued='--engine'\n"));
  EXPECT_THAT(script, HasSubstr("    'completion')\n      words=\"bash zsh\"\n"));
}

TEST(Completion, OfZshHasDescriptionsWithoutQuotes) {
  auto script = script_of("zsh");
  EXPECT_THAT(script, HasSubstr("'ps:List this machines containers'"));
  EXPECT_THAT(script, HasSubstr("    'images make')\n      flags=(\n      '--engine:Where'\n"));
}

TEST(Completion, OfFishTellsFlagsWithValuesApart) {
  auto script = script_of("fish");
  EXPECT_THAT(script, HasSubstr("'__gantry_in ps' -l json -d 'JSON'\n"));
  EXPECT_THAT(script, HasSubstr("'__gantry_in images make' -l engine -r -d 'Where'\n"));
  EXPECT_THAT(script, HasSubstr("'__gantry_at images' -f -a make -d 'Make one'\n"));
}

TEST(Completion, AsksForNamesWhereContainersAndHostsStand) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    auto script = script_of(shell);
    EXPECT_THAT(script, HasSubstr("gantry names containers 2>/dev/null")) << shell;
    EXPECT_THAT(script, HasSubstr("gantry names hosts 2>/dev/null")) << shell;
    EXPECT_THAT(script, Not(HasSubstr("@"))) << shell << " has a mark that was not replaced";
  }
}

TEST(Completion, IsRefusedForOtherShells) { EXPECT_FALSE(completion_script("tcsh", commands)); }

}  // namespace
}  // namespace gantry::cli
