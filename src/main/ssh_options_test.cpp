#include "main/ssh_options.hpp"

#include <gtest/gtest.h>

namespace gantry::main {
namespace {

TEST(SshOptions, KeepHostKeysWithTheDataAndAllowNothingOfTheAccounts) {
  auto places = ssh_places({}, "/var/lib/gantry", "");
  EXPECT_EQ(places.known_hosts, "/var/lib/gantry/known_hosts");
  EXPECT_EQ(places.runtime, "/tmp");
  EXPECT_EQ(places.agent_socket, "");
  EXPECT_EQ(places.user_config, "");
}

TEST(SshOptions, TakeTheFirstFolderThatSystemdGives) {
  EXPECT_EQ(ssh_places({}, "/d", "/run/gantry:/run/other").runtime, "/run/gantry");
}

TEST(SshOptions, AllowTheAgentAndTheConfigurationThatTheOwnerNames) {
  Settings settings{{"ssh_agent", {{"/run/agent.sock"}, "here"}},
                    {"ssh_config", {{"/home/ann/.ssh/config"}, "here"}}};
  auto places = ssh_places(settings, "/d", "");
  EXPECT_EQ(places.agent_socket, "/run/agent.sock");
  EXPECT_EQ(places.user_config, "/home/ann/.ssh/config");
}

}  // namespace
}  // namespace gantry::main
