#include "main/settings.hpp"

#include <gmock/gmock.h>

namespace gantry::main {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string mistake(std::string_view text) {
  auto config = parse_config(text, "gantry.toml");
  return config ? "none" : config.error().sentence();
}

TEST(ConfigFile, GivesSettingsWithTheirLines) {
  auto config =
      value_or_throw(parse_config("# mine\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]\n"
                                  "queue_max = 7\nanonymous_execute = true\n",
                                  "gantry.toml"));
  EXPECT_THAT(config.settings.at("listen").texts, ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_EQ(config.settings.at("listen").origin, "gantry.toml:2");
  EXPECT_THAT(config.settings.at("queue_max").texts, ElementsAre("7"));
  EXPECT_THAT(config.settings.at("anonymous_execute").texts, ElementsAre("true"));
  EXPECT_FALSE(config.aliases);
}

TEST(ConfigFile, MayGiveOneListenerAsAText) {
  auto config = value_or_throw(parse_config("listen = \"127.0.0.1:1\"", "gantry.toml"));
  EXPECT_THAT(config.settings.at("listen").texts, ElementsAre("127.0.0.1:1"));
}

TEST(ConfigFile, HasTheAliasTable) {
  auto config =
      value_or_throw(parse_config("[images.aliases]\n\"alpine\" = \"gantry/sh\"\n", "gantry.toml"));
  EXPECT_THAT(*config.aliases, ElementsAre(Pair("alpine:latest", "gantry/sh:latest")));
}

TEST(ConfigFile, RefusesUnknownKeysNamingFileAndLine) {
  EXPECT_THAT(mistake("listen = \"127.0.0.1:1\"\n\nlissen = 1\n"),
              HasSubstr("cannot read configuration 'gantry.toml:3': unknown key 'lissen'; "));
  EXPECT_THAT(mistake("lisen = 1\n"), EndsWith("; did you mean 'listen'?"));
  EXPECT_THAT(mistake("zebra = 1\n"), HasSubstr("; it can have listen, data_dir"));
  EXPECT_THAT(mistake("[images]\nalias = 1\n"), HasSubstr("'gantry.toml:2': unknown key "));
  EXPECT_THAT(mistake("[listen]\nx = 1\n"), HasSubstr("must be a list of texts"));
}

TEST(ConfigFile, RefusesWrongTypesAndSyntaxNamingFileAndLine) {
  EXPECT_THAT(mistake("data_dir = 5"),
              HasSubstr("'gantry.toml:1': 'data_dir' must be a text in quotes"));
  EXPECT_THAT(mistake("queue_max = \"many\""), HasSubstr("must be a whole number"));
  EXPECT_THAT(mistake("listen = [1]"), HasSubstr("must be a list of texts"));
  EXPECT_THAT(mistake("\nengine = unix"), HasSubstr("cannot read configuration 'gantry.toml:2': "));
}

TEST(ConfigFile, TellsTheFirstMistakeInTheFile) {
  EXPECT_THAT(mistake("zebra = 1\nant = 2\n"), HasSubstr("'gantry.toml:1': unknown key 'zebra'"));
}

TEST(ConfigFile, RefusesAliasesThatAreNoImages) {
  EXPECT_THAT(mistake("[images.aliases]\n\"alpine\" = \"NOT AN IMAGE\"\n"),
              HasSubstr("'gantry.toml:2': alias 'alpine' must map one image to another"));
}

TEST(ConfigFile, HasLanguages) {
  auto config = value_or_throw(
      parse_config("[languages.python]\nimage = \"python:3.13\"\n\n[languages.nim]\n"
                   "image = \"nimlang/nim\"\nextensions = [\".nim\"]\nentry = \"main.nim\"\n"
                   "run = [\"nim\", \"r\", \"{entry}\"]\n",
                   "gantry.toml"));
  EXPECT_EQ(config.languages->find("py")->image, "python:3.13");
  EXPECT_EQ(config.languages->find("nim")->entry_file, "main.nim");
  EXPECT_THAT(mistake("\n[languages.nim]\nimage = \"nim\"\n"),
              HasSubstr("'gantry.toml:2': field 'languages.nim.extensions' are missing"));
}

TEST(ConfigFile, HasBounds) {
  auto config =
      value_or_throw(parse_config("[limits]\npids = { max = 100 }\n"
                                  "[limits.roles.viewer]\npids = { max = 10 }\n",
                                  "gantry.toml"));
  EXPECT_EQ(config.bounds->of("admin").number("pids").max, 100);
  EXPECT_EQ(config.bounds->of("viewer").number("pids").max, 10);
  EXPECT_THAT(mistake("[limits]\npids = { max = 100000 }\n"),
              HasSubstr("'gantry.toml:1': field 'limits.pids.max' must be an integer between 4 and "
                        "32768, not 100000"));
}

TEST(Environment, IsReadByItsPrefixAndCommas) {
  auto settings = settings_of_environment({{"GANTRY_LISTEN", "127.0.0.1:1, [::1]:2"},
                                           {"GANTRY_DATA_DIR", "/srv/g"},
                                           {"GANTRY_ENGINE", ""},
                                           {"HOME", "/root"}});
  EXPECT_THAT(settings,
              ElementsAre(Pair("data_dir", Given{{"/srv/g"}, "GANTRY_DATA_DIR"}),
                          Pair("listen", Given{{"127.0.0.1:1", "[::1]:2"}, "GANTRY_LISTEN"})));
}

TEST(Settings, OfABadValueNameWhereItCameFrom) {
  Settings settings{{"log_level", {{"loud"}, "--log-level"}},
                    {"queue_max", {{"0"}, "GANTRY_QUEUE_MAX"}},
                    {"anonymous_execute", {{"maybe"}, "GANTRY_ANONYMOUS_EXECUTE"}}};
  EXPECT_EQ(word_setting(settings, "log_level", 0, {"info", "warn"}).error().message,
            "cannot use 'loud' of --log-level: it must be one of info, warn");
  EXPECT_EQ(number_setting(settings, "queue_max", 1, 9).error().message,
            "cannot use '0' of GANTRY_QUEUE_MAX: it must be a whole number from 1 to 9");
  EXPECT_FALSE(switch_setting(settings, "anonymous_execute"));
}

}  // namespace
}  // namespace gantry::main
