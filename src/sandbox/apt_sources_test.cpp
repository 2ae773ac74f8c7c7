#include "sandbox/apt_sources.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReleaseCodename, IsTheOneOfTheArchives) {
  EXPECT_EQ(release_codename("ID=debian\nVERSION_CODENAME=bookworm\n"), "bookworm");
  EXPECT_EQ(release_codename("VERSION_CODENAME=virginia\nUBUNTU_CODENAME=\"jammy\"\n"), "jammy");
}

TEST(ReleaseCodename, IsEmptyWhereThereIsNoneOrItIsNotAWord) {
  EXPECT_EQ(release_codename("ID=fedora\nVERSION_ID=40\n"), "");
  EXPECT_EQ(release_codename("VERSION_CODENAME=\"--hook=x\"\n"), "");
}

TEST(DistributionSources, TakesTheDistributionsOwnFromDeb822) {
  AptFile file{"debian.sources",
               "Types: deb deb-src\n# a comment\nURIs: http://deb.debian.org/debian\n"
               "Suites: bookworm bookworm-updates\nComponents: main contrib\n"
               "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
               "Types: deb\nURIs: http://deb.debian.org/debian-security\n"
               "Suites: bookworm-security\nComponents: main\n"};
  EXPECT_THAT(distribution_sources({file}, "bookworm"),
              ElementsAre("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                          "http://deb.debian.org/debian bookworm main",
                          "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                          "http://deb.debian.org/debian bookworm-updates main",
                          "deb http://deb.debian.org/debian-security bookworm-security main"));
}

TEST(DistributionSources, TakesOneLineEntriesAndMirrors) {
  AptFile file{"sources.list",
               "deb [arch=amd64] https://mirror.example/ubuntu/ noble main universe restricted\n"
               "deb-src https://mirror.example/ubuntu/ noble main\n"
               "# deb https://mirror.example/ubuntu/ noble-updates main\n"};
  EXPECT_THAT(distribution_sources({file}, "noble"),
              ElementsAre("deb https://mirror.example/ubuntu/ noble main universe"));
}

TEST(DistributionSources, LeavesOutWhatOthersPublish) {
  std::vector<AptFile> files{
      {"nodesource.sources",
       "Types: deb\nURIs: https://deb.nodesource.com/node_20.x\nSuites: nodistro\n"
       "Components: main\n"},
      {"docker.list",
       "deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian "
       "bookworm stable\n"},
      {"vpn.list",
       "deb [signed-by=/usr/share/keyrings/vpn-archive-keyring.gpg] "
       "https://pkgs.vpn.example/stable/debian bookworm main\n"},
      {"pgdg.list", "deb http://apt.postgresql.org/pub/repos/apt bookworm-pgdg main\n"},
  };
  EXPECT_THAT(distribution_sources(files, "bookworm"), IsEmpty());
}

TEST(DistributionSources, LeavesOutOtherReleasesDisabledStanzasAndDiscs) {
  std::vector<AptFile> files{
      {"a.list",
       "deb http://deb.debian.org/debian trixie main\n"
       "deb cdrom:[Debian]/ bookworm main\ndeb cdrom:/debian bookworm main\n"},
      {"b.sources",
       "Enabled: no\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n"
       "Components: main\n"},
      {"c.list.disabled", "deb http://deb.debian.org/debian bookworm main\n"},
  };
  EXPECT_THAT(distribution_sources(files, "bookworm"), IsEmpty());
}

TEST(DistributionSources, DropsAKeyThatStandsInTheFile) {
  AptFile file{"debian.sources",
               "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n"
               "Components: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"};
  EXPECT_THAT(distribution_sources({file}, "bookworm"),
              ElementsAre("deb http://deb.debian.org/debian bookworm main"));
}

}  // namespace
}  // namespace gantry::sandbox
