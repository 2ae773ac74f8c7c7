#include "main/options.hpp"

#include <set>

#include <gmock/gmock.h>

namespace gantry::main {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Stands for the content of what is no file.
constexpr const char* folder = "(a folder)";

/// An imaginary machine.
struct World {
  std::map<std::string, std::string, std::less<>> variables;
  std::map<std::string, std::string> files;

  Result<Invocation> read(std::vector<std::string> arguments) const {
    Surroundings world;
    world.variables = variables;
    world.exists = [this](const std::filesystem::path& path) { return files.contains(path); };
    world.is_file = [this](const std::filesystem::path& path) {
      return files.contains(path) && files.at(path) != folder;
    };
    world.read = [this](const std::filesystem::path& path) -> Result<std::string> {
      if (auto found = files.find(path); found != files.end()) return found->second;
      return fail(ErrorKind::not_found, "no_configuration", "cannot read " + path.string());
    };
    return read_options(std::move(arguments), world);
  }

  template <class Command>
  Command as(std::vector<std::string> arguments) const {
    return std::get<Command>(value_or_throw(read(std::move(arguments))).command);
  }
  std::string mistake(std::vector<std::string> arguments) const {
    auto invocation = read(std::move(arguments));
    return invocation ? "none" : invocation.error().sentence();
  }
};

TEST(ServeOptions, NeedNoConfiguration) {
  auto options = World{{{"HOME", "/home/ann"}}, {}}.as<ServeOptions>({"serve"});
  EXPECT_THAT(options.listen, ElementsAre("127.0.0.1:5920"));
  EXPECT_EQ(options.data_dir, "/home/ann/.local/share/gantry");
  EXPECT_EQ(options.engine, "unix:///var/run/docker.sock");
  EXPECT_EQ(options.anonymous_execute, AnonymousExecute::no);
  EXPECT_EQ(options.image_aliases, sandbox::default_aliases());
}

TEST(ServeOptions, ReachAnEngineOverTlsAsDockersClientIsTold) {
  World world{{{"DOCKER_HOST", "tcp://edge:2376"},
               {"DOCKER_TLS_VERIFY", "1"},
               {"DOCKER_CERT_PATH", "/certs"}},
              {{"/certs/ca.pem", "x"}}};
  auto options = world.as<ServeOptions>({"serve"});
  EXPECT_EQ(options.engine, "tls://edge:2376");
  EXPECT_EQ(options.tls.engine.authorities, "/certs/ca.pem");
  options = world.as<ServeOptions>({"serve", "--engine", "tls://other"});
  EXPECT_TRUE(options.tls.engine.authorities.empty());
}

TEST(ServeOptions, TakeACertificateForTheirListeners) {
  World world{{}, {}};
  auto options = world.as<ServeOptions>({"serve", "--tls-certificate", "c", "--tls-key", "k"});
  EXPECT_EQ(options.tls.certificate, "c");
  EXPECT_EQ(options.tls.key, "k");
}

TEST(ServeOptions, PreferFlagsToVariablesToTheFile) {
  World world{{{"HOME", "/h"}, {"GANTRY_ENGINE", "unix:///env"}, {"GANTRY_QUEUE_MAX", "2"}},
              {{"/etc/gantry/gantry.toml",
                "engine = \"unix:///file\"\nqueue_max = 3\nexecutions_max = 9\n"}}};
  auto options = world.as<ServeOptions>({"serve", "--engine", "unix:///flag"});
  EXPECT_EQ(options.engine, "unix:///flag");
  EXPECT_EQ(options.queue_max, 2U);
  EXPECT_EQ(options.executions_max, 9U);
}

TEST(ServeOptions, TakeEveryFlag) {
  auto options = World{}.as<ServeOptions>(
      {"serve", "--listen", "127.0.0.1:1", "--listen=[::1]:2", "--data-dir", "/d", "--database",
       "/db", "--anonymous-execute", "--log-level", "debug", "--log-format", "json",
       "--executions-max", "8", "--queue-max", "10"});
  EXPECT_THAT(options.listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_EQ(options.data_dir, "/d");
  EXPECT_EQ(options.database, "/db");
  EXPECT_EQ(options.anonymous_execute, AnonymousExecute::yes);
  EXPECT_EQ(options.log_level, log::Level::debug);
  EXPECT_EQ(options.log_style, log::Style::json);
  EXPECT_EQ(options.executions_max, 8U);
  EXPECT_EQ(options.queue_max, 10U);
}

TEST(ServeOptions, ReadTheFirstConfigurationThatIsThere) {
  World world{{{"HOME", "/h"}},
              {{"/h/.config/gantry/gantry.toml", "queue_max = 1"},
               {"/etc/gantry/gantry.toml", "queue_max = 2"},
               {"/named.toml", "queue_max = 3"}}};
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).queue_max, 1U);
  EXPECT_EQ(world.as<ServeOptions>({"serve", "--config", "/named.toml"}).queue_max, 3U);
  world.variables["XDG_CONFIG_HOME"] = "/elsewhere";
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).queue_max, 2U);
  world.variables["GANTRY_CONFIG"] = "/named.toml";
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).queue_max, 3U);
}

TEST(ServeOptions, RefuseANamedConfigurationThatIsNotThere) {
  EXPECT_THAT(World{}.mistake({"serve", "--config", "/missing.toml"}), HasSubstr("/missing.toml"));
}

TEST(ServeOptions, PassOverAConfigurationThatIsAFolder) {
  World world{
      {{"HOME", "/h"}},
      {{"/h/.config/gantry/gantry.toml", folder}, {"/etc/gantry/gantry.toml", "queue_max = 2"}}};
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).queue_max, 2U);
}

TEST(ServeOptions, HaveTheNamesOfTheServer) {
  EXPECT_THAT(World{}.as<ServeOptions>({"serve"}).allowed_hosts, IsEmpty());
  World world{{{"GANTRY_ALLOWED_HOSTS", "box, Box.Example.org"}}, {}};
  EXPECT_THAT(world.as<ServeOptions>({"serve"}).allowed_hosts,
              ElementsAre("box", "box.example.org"));
  EXPECT_THAT(
      world.as<ServeOptions>({"serve", "--allowed-host", "a", "--allowed-host=b"}).allowed_hosts,
      ElementsAre("a", "b"));
  World file{{}, {{"/etc/gantry/gantry.toml", "allowed_hosts = [\"c\"]"}}};
  EXPECT_THAT(file.as<ServeOptions>({"serve"}).allowed_hosts, ElementsAre("c"));
  for (const auto* bad : {"http://box", "box:80", ""}) {
    EXPECT_THAT(World{}.mistake({"serve", "--allowed-host", bad}), HasSubstr("of --allowed-host"));
  }
}

TEST(ServeOptions, HaveTheOriginsOfPages) {
  EXPECT_THAT(World{}.as<ServeOptions>({"serve"}).allowed_origins, IsEmpty());
  World world{{{"GANTRY_ALLOWED_ORIGINS", "https://Editor.example:8443,http://[::1]"}}, {}};
  EXPECT_THAT(world.as<ServeOptions>({"serve"}).allowed_origins,
              ElementsAre("https://editor.example:8443", "http://[::1]"));
  EXPECT_THAT(world.as<ServeOptions>({"serve", "--allowed-origin", "http://a"}).allowed_origins,
              ElementsAre("http://a"));
  for (const auto* bad : {"*", "editor.example", "https://a/b", "https://", ""}) {
    EXPECT_THAT(World{}.mistake({"serve", "--allowed-origin", bad}),
                HasSubstr("of --allowed-origin"));
  }
}

TEST(ServeOptions, RefuseADataFolderWithoutAName) {
  EXPECT_THAT(World{}.mistake({"serve", "--data-dir", ""}),
              HasSubstr("cannot use '' of --data-dir: it names no folder"));
}

TEST(ServeOptions, ReplaceTheAliasTableByTheFiles) {
  World world{{}, {{"/etc/gantry/gantry.toml", "[images.aliases]\n\"alpine\" = \"gantry/sh\"\n"}}};
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).image_aliases,
            (sandbox::ImageAliases{{"alpine:latest", "gantry/sh:latest"}}));
}

TEST(ServeOptions, OfAServiceKeepDataInItsStateDirectory) {
  World service{{{"STATE_DIRECTORY", "/var/lib/gantry:/var/lib/other"}, {"HOME", "/h"}}, {}};
  EXPECT_EQ(service.as<ServeOptions>({"serve"}).data_dir, "/var/lib/gantry");
  EXPECT_EQ(World{}.as<ServeOptions>({"serve"}).data_dir, "/var/lib/gantry");
}

TEST(ServeOptions, FindTheEngine) {
  World world{{{"XDG_RUNTIME_DIR", "/run/user/7"}}, {}};
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).engine, "unix:///var/run/docker.sock");
  world.files["/run/user/7/docker.sock"];
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).engine, "unix:///run/user/7/docker.sock");
  world.files["/var/run/docker.sock"];
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).engine, "unix:///var/run/docker.sock");
  world.variables["DOCKER_HOST"] = "tcp://127.0.0.1:2375";
  EXPECT_EQ(world.as<ServeOptions>({"serve"}).engine, "tcp://127.0.0.1:2375");
}

TEST(ServeOptions, RefuseBadListenersNamingWhereTheyCameFrom) {
  for (const auto* bad : {"5920", "127.0.0.1:", "127.0.0.1:70000", ":80", "127.0.0.1:x"}) {
    EXPECT_THAT(World{}.mistake({"serve", "--listen", bad}), HasSubstr("of --listen")) << bad;
  }
  World world{{{"GANTRY_LISTEN", "nonsense"}}, {}};
  EXPECT_THAT(world.mistake({"serve"}), HasSubstr("of GANTRY_LISTEN"));
}

TEST(CommandLine, OfNothingShowsHelpWithExamples) {
  EXPECT_THAT(World{}.as<Shown>({}).text, HasSubstr("gantry exec python -c 'print(6 * 7)'"));
  EXPECT_THAT(World{}.as<Shown>({"exec", "--help"}).text, HasSubstr("--image debian:12"));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(World{}.mistake({"serve", "--fast"}), HasSubstr("see 'gantry serve --help'"));
  EXPECT_THAT(World{}.mistake({"fly"}),
              HasSubstr("command line: there is no command 'gantry fly'; there are serve,"));
  EXPECT_THAT(World{}.mistake({"completion"}), HasSubstr("see 'gantry completion --help'"));
  EXPECT_THAT(World{}.mistake({"images", "foo"}),
              HasSubstr("no command 'gantry images foo'; there are make, ensure, list"));
  EXPECT_THAT(World{}.mistake({"--foo=1"}), HasSubstr("no flag '--foo' before a command"));
  EXPECT_THAT(World{}.mistake({"images", "--foo", "ls"}), HasSubstr("no flag '--foo'"));
  EXPECT_THAT(World{}.mistake({"images", "list", "foo"}), HasSubstr("foo"));
  EXPECT_THAT(World{}.mistake({"ps", "foo"}), HasSubstr("foo"));
  EXPECT_THAT(World{}.mistake({"help", "fly"}), HasSubstr("there is no command 'gantry fly'"));
}

TEST(CommandLine, NamesAMissingWordAsTheHelpDoes) {
  EXPECT_THAT(World{}.mistake({"completion"}), HasSubstr("cannot read the command line: SHELL"));
}

TEST(CommandLine, HelpsWithACommand) {
  auto shown = [](std::vector<std::string> words) { return World{}.as<Shown>(words).text; };
  EXPECT_EQ(shown({"help"}), shown({"--help"}));
  EXPECT_EQ(shown({"help", "exec"}), shown({"exec", "--help"}));
  EXPECT_EQ(shown({"help", "exec", "python"}), shown({"exec", "--help"}));
  EXPECT_EQ(shown({"help", "images", "make"}), shown({"images", "make", "--help"}));
}

TEST(CommandLine, EveryCommandHasItsOwnExamples) {
  std::set<std::string> footers;
  const std::vector<std::vector<std::string>> commands{{},
                                                       {"serve"},
                                                       {"exec"},
                                                       {"ps"},
                                                       {"version"},
                                                       {"completion"},
                                                       {"images"},
                                                       {"images", "make"},
                                                       {"images", "ensure"},
                                                       {"images", "list"}};
  for (auto words : commands) {
    words.emplace_back("--help");
    auto text = World{}.as<Shown>(words).text;
    footers.insert(text.substr(text.find("Examples:")));
  }
  EXPECT_EQ(footers.size(), commands.size());
}

TEST(CommandLine, CommandsWithoutExamplesShowNobodyElses) {
  for (auto words : {std::vector<std::string>{"users", "role", "--help"},
                     {"images", "ls", "--help"},
                     {"audit", "verify", "--help"},
                     {"containers", "top", "--help"}}) {
    EXPECT_EQ(World{}.as<Shown>(words).text.find("Examples:"), std::string::npos) << words[1];
  }
}

TEST(CommandLine, GuessesWhatWasMistyped) {
  EXPECT_THAT(World{}.mistake({"sevre"}), EndsWith("did you mean 'gantry serve'?"));
  EXPECT_THAT(World{}.mistake({"hosts", "tset", "web1"}),
              EndsWith("did you mean 'gantry hosts test'?"));
  EXPECT_THAT(World{}.mistake({"logs", "--folow", "web"}), EndsWith("did you mean '--follow'?"));
  EXPECT_THAT(World{}.mistake({"logs", "--colour", "web"}), EndsWith("see 'gantry logs --help'"));
}

TEST(CommandLine, CompletesItself) {
  auto script = World{}.as<Shown>({"completion", "bash"}).text;
  EXPECT_THAT(script, HasSubstr("serve exec mcp images hosts ps logs"));
  EXPECT_THAT(script, HasSubstr("--anonymous-execute"));
}

TEST(ExecOptions, LeaveTheProgramsOwnWordsAlone) {
  auto command = World{}.as<cli::ExecCommand>(
      {"exec", "--timeout", "5s", "python", "-c", "print(1)", "--json", "--", "-x"});
  EXPECT_THAT(command.words, ElementsAre("python", "-c", "print(1)", "--json", "--", "-x"));
  EXPECT_EQ(command.wall_time_ms, 5000);
  EXPECT_EQ(command.format, cli::Format::text);
}

TEST(ExecOptions, MayMarkWhereTheProgramBegins) {
  auto command =
      World{}.as<cli::ExecCommand>({"exec", "--image", "debian:12", "--", "--odd", "name"});
  EXPECT_EQ(command.image, "debian:12");
  EXPECT_THAT(command.words, ElementsAre("--odd", "name"));
}

TEST(ExecOptions, TakeEveryFlag) {
  auto command = World{}.as<cli::ExecCommand>(
      {"exec",   "-i",     "-e", "A=1=2",  "--env=B=", "-f",  "/tmp/data.csv",
       "--file", "x:in/y", "-t", "500ms",  "-m",       "64m", "--cpus",
       "0.5",    "--pids", "8",  "--json", "sh",       "-c",  "env"});
  EXPECT_EQ(command.input, cli::ExecCommand::Input::forwarded);
  EXPECT_EQ(command.env,
            (std::vector<std::pair<std::string, std::string>>{{"A", "1=2"}, {"B", ""}}));
  EXPECT_EQ(command.files.at(0).destination, "data.csv");
  EXPECT_EQ(command.files.at(1).path, "x");
  EXPECT_EQ(command.files.at(1).destination, "in/y");
  EXPECT_EQ(command.wall_time_ms, 500);
  EXPECT_EQ(command.memory_bytes, 64 << 20);
  EXPECT_EQ(command.cpus, 0.5);
  EXPECT_EQ(command.pids, 8);
  EXPECT_EQ(command.format, cli::Format::json);
}

TEST(ExecOptions, RefuseWhatIsNoQuantityOrVariable) {
  EXPECT_THAT(World{}.mistake({"exec", "--timeout", "soon", "sh"}), HasSubstr("as a duration"));
  EXPECT_THAT(World{}.mistake({"exec", "--cpus", "many", "sh"}), HasSubstr("--cpus"));
  EXPECT_THAT(World{}.mistake({"exec", "--env", "A", "sh"}), HasSubstr("is not NAME=VALUE"));
}

TEST(ServerAccess, IsByTheServersOwnTokenUnlessAnotherIsNamed) {
  World world{{{"HOME", "/h"}}, {}};
  auto local = world.as<cli::RemoteCommand>({"ps"}).server;
  EXPECT_EQ(world.as<cli::McpCommand>({"mcp"}).server.token_file, local.token_file);
  EXPECT_EQ(local.url, "http://127.0.0.1:5920");
  EXPECT_EQ(local.token_file, "/h/.local/share/gantry/local.token");
  EXPECT_EQ(local.token_file_kind, cli::ServerAccess::TokenFile::local);
  EXPECT_EQ(local.service_token_file, "/var/lib/gantry/local.token");
  EXPECT_EQ(world.as<cli::RemoteCommand>({"ps", "--data-dir", "/d"}).server.service_token_file, "");

  world.variables["GANTRY_TOKEN"] = "gantry_x";
  world.variables["GANTRY_SERVER"] = "http://box:1";
  auto named = world.as<cli::RemoteCommand>({"ps"}).server;
  EXPECT_EQ(named.token.reveal(), "gantry_x");
  EXPECT_EQ(named.url, "http://box:1");

  auto flagged = world.as<cli::RemoteCommand>({"ps", "--token-file", "/t"}).server;
  EXPECT_TRUE(flagged.token.empty());
  EXPECT_EQ(flagged.token_file, "/t");
}

TEST(ServerAccess, IsOfTheContextInUseUnlessAServerIsNamed) {
  World world{{{"HOME", "/h"}},
              {{"/h/.config/gantry/contexts.toml",
                "current = \"prod\"\n[contexts.prod]\nserver = \"https://p.example\"\n"
                "token_file = \"/p.token\"\n[contexts.lab]\nserver = \"http://lab:1\"\n"}}};
  auto current = world.as<cli::RemoteCommand>({"ps"}).server;
  EXPECT_EQ(current.url, "https://p.example");
  EXPECT_EQ(current.token_file, "/p.token");
  EXPECT_EQ(current.token_file_kind, cli::ServerAccess::TokenFile::named);
  EXPECT_EQ(world.as<cli::RemoteCommand>({"ps", "--context", "lab"}).server.url, "http://lab:1");
  EXPECT_EQ(world.as<cli::RemoteCommand>({"ps", "--server", "http://a:2"}).server.url,
            "http://a:2");
  EXPECT_THAT(world.mistake({"ps", "--context", "none"}), HasSubstr("cannot find context 'none'"));
}

TEST(ServerAccess, IsWhereTheRunningServerSaysThatItListens) {
  World world{
      {{"HOME", "/h"}},
      {{"/h/.local/share/gantry/local.addresses", "http://10.0.0.7:6000\nhttp://127.0.0.1:6001\n"},
       {"/var/lib/gantry/local.addresses", "http://127.0.0.1:6002\n"},
       {"/d/local.addresses", "http://[::1]:6003\n"},
       {"local.addresses", "http://127.0.0.1:6004\n"}}};
  auto url = [&](std::vector<std::string> words) {
    return world.as<cli::RemoteCommand>(std::move(words)).server.url;
  };
  EXPECT_EQ(url({"ps"}), "http://127.0.0.1:6001");
  EXPECT_EQ(url({"ps", "--data-dir", "/d"}), "http://[::1]:6003");
  EXPECT_EQ(url({"ps", "--data-dir", "/e"}), "http://127.0.0.1:5920");
  EXPECT_EQ(url({"ps", "--server", "http://127.0.0.1:5920"}), "http://127.0.0.1:5920");
  world.files.erase("/h/.local/share/gantry/local.addresses");
  EXPECT_EQ(url({"ps"}), "http://127.0.0.1:6002");
}

TEST(RemoteOptions, GiveEachVerbWhatItsParametersSay) {
  World world{{{"HOME", "/h"}}, {}};
  auto add = world.as<cli::RemoteCommand>({"hosts", "add", "web1", "ssh://web1", "--label", "a=1",
                                           "--label", "b=2", "--default", "--json"});
  EXPECT_EQ(add.verb->action, "add");
  EXPECT_EQ(add.text("name"), "web1");
  EXPECT_THAT(add.texts("labels"), ElementsAre("a=1", "b=2"));
  EXPECT_TRUE(add.has("default"));
  EXPECT_FALSE(add.has("note"));
  EXPECT_EQ(add.format, cli::Format::json);
  EXPECT_EQ(add.docker_folder, "/h/.docker");

  auto stop = world.as<cli::RemoteCommand>({"stop", "a", "b", "-t", "5s", "--host", "web1"});
  EXPECT_THAT(stop.texts("containers"), ElementsAre("a", "b"));
  EXPECT_EQ(stop.text("grace_seconds"), "5s");
  EXPECT_EQ(world.as<cli::RemoteCommand>({"images", "ls"}).verb->action, "ls");
  EXPECT_EQ(world.as<cli::RemoteCommand>({"hosts", "import"}).text("context"), "");
}

TEST(RemoteOptions, SayWhatIsMissingOrUnknown) {
  EXPECT_THAT(World{}.mistake({"hosts", "add", "web1"}), HasSubstr("ENDPOINT"));
  EXPECT_THAT(World{}.mistake({"stop"}), HasSubstr("CONTAINER"));
  EXPECT_THAT(World{}.mistake({"hosts", "burn"}), HasSubstr("no command 'gantry hosts burn'"));
  EXPECT_THAT(World{}.mistake({"logs", "a", "--colour"}), HasSubstr("--colour"));
}

TEST(ImagesOptions, HaveAnActionAndOnlyWhatPackageToolsNeed) {
  World world{{{"PATH", "/bin"}, {"GANTRY_TOKEN", "secret"}, {"http_proxy", "http://p:1"}}, {}};
  auto command = world.as<cli::ImagesCommand>(
      {"images", "make", "python", "sh", "--engine", "unix:///e.sock"});
  EXPECT_EQ(command.action, cli::ImagesCommand::Action::make);
  EXPECT_THAT(command.names, ElementsAre("python", "sh"));
  EXPECT_EQ(command.engine, "unix:///e.sock");
  EXPECT_THAT(command.env, Contains("http_proxy=http://p:1"));
  EXPECT_THAT(command.env, Not(Contains(HasSubstr("secret"))));
  EXPECT_THAT(world.as<cli::ImagesCommand>({"images", "ensure"}).names, IsEmpty());
}

}  // namespace
}  // namespace gantry::main
