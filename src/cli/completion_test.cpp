#include "cli/completion.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;

const std::vector<CommandShape> commands{
    {"ps", "List this machine's containers", {"--json"}, {}},
    {"images", "Images", {"--engine"}, {"make", "list"}},
    {"logs", "Logs", {"--host"}, {}, CommandShape::Names::containers},
};

TEST(Completion, OfBashKnowsCommandsFlagsAndWords) {
  auto script = value_or_throw(completion_script("bash", commands));
  EXPECT_THAT(script, HasSubstr("words='ps images logs'"));
  EXPECT_THAT(script, HasSubstr("images) words='make list --engine' ;;"));
  EXPECT_THAT(script, HasSubstr("complete -o default -F _gantry gantry"));
}

TEST(Completion, OfZshHasDescriptionsWithoutQuotes) {
  EXPECT_THAT(value_or_throw(completion_script("zsh", commands)),
              HasSubstr("'ps:List this machines containers'"));
}

TEST(Completion, OfFishHasOneLinePerFlag) {
  EXPECT_THAT(value_or_throw(completion_script("fish", commands)),
              HasSubstr("'__fish_seen_subcommand_from ps' -l json\n"));
}

TEST(Completion, AsksForNamesWhereContainersAndHostsStand) {
  constexpr const char* containers = "gantry names containers 2>/dev/null";
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    auto script = value_or_throw(completion_script(shell, commands));
    EXPECT_THAT(script, HasSubstr(containers)) << shell;
    EXPECT_THAT(script, HasSubstr("gantry names hosts 2>/dev/null")) << shell;
  }
}

TEST(Completion, IsRefusedForOtherShells) { EXPECT_FALSE(completion_script("tcsh", commands)); }

}  // namespace
}  // namespace gantry::cli
