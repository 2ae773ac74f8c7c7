#include "sandbox/image_maker.hpp"

#include "base/random.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ImageRecipes, ServeExactlyTheImagesOfTheAliasTable) {
  ImageAliases served;
  for (const auto& recipe : image_recipes()) {
    if (!recipe.serves.empty()) served.emplace(recipe.serves, recipe.image);
  }
  EXPECT_EQ(served, default_aliases());
}

TEST(ImageRecipes, MakeImagesUnderOurOwnNameOnly) {
  for (const auto& recipe : image_recipes()) EXPECT_THAT(recipe.image, StartsWith("gantry/"));
}

TEST(ImageRecipes, AreFoundByNameAndByImage) {
  ASSERT_NE(find_recipe("python"), nullptr);
  EXPECT_EQ(find_recipe("gantry/python"), find_recipe("python"));
  EXPECT_EQ(find_recipe("gantry/python:latest"), find_recipe("python"));
  EXPECT_EQ(find_recipe("python:3.11-alpine"), nullptr);
}

TEST(PackageCommand, NamesPackagesReleaseArchiveAndSourcesInThisOrder) {
  PackageHost host{"bookworm", {"deb http://deb.debian.org/debian bookworm main"}, {}, {}};
  EXPECT_THAT(package_command(*find_recipe("sh"), host, "/tmp/x/packages.tar"),
              ElementsAre("mmdebstrap", "--quiet", "--variant=extract", "--include=busybox-static",
                          "bookworm", "/tmp/x/packages.tar",
                          "deb http://deb.debian.org/debian bookworm main"));
}

TEST(PackageCommand, FinishesPythonByCompilingItsLibrary) {
  EXPECT_THAT(package_command(*find_recipe("python"), {"bookworm", {}, {}, {}}, "/tmp/p.tar"),
              Contains(StartsWith("--extract-hook=")));
}

class PackageHostOfATree : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_ / "etc/apt/sources.list.d"); }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& path, const std::string& content) {
    std::ofstream{root_ / path} << content;
  }

  fs::path root_ = fs::temp_directory_path() / ("gantry-host-" + random::word(8));
};

TEST_F(PackageHostOfATree, HasTheReleaseAndItsSources) {
  put("etc/os-release", "VERSION_CODENAME=bookworm\n");
  put("etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n");
  put("etc/apt/sources.list.d/other.list", "deb http://vendor.example/apt bookworm main\n");
  auto host = read_package_host(root_, {"PATH=/bin"}, "/tmp");
  ASSERT_TRUE(host);
  EXPECT_EQ(host->codename, "bookworm");
  EXPECT_THAT(host->sources, ElementsAre("deb http://deb.debian.org/debian bookworm main"));
}

TEST_F(PackageHostOfATree, PassesOverWhatIsNoFile) {
  put("etc/os-release", "VERSION_CODENAME=bookworm\n");
  fs::create_directory(root_ / "etc/apt/sources.list.d/odd.list");
  fs::create_directory(root_ / "etc/apt/sources.list");
  auto host = read_package_host(root_, {}, "/tmp");
  ASSERT_TRUE(host);
  EXPECT_THAT(host->sources, IsEmpty());
}

TEST_F(PackageHostOfATree, HasNoSourcesWhenThereAreNone) {
  put("etc/os-release", "VERSION_CODENAME=bookworm\n");
  auto host = read_package_host(root_, {}, "/tmp");
  ASSERT_TRUE(host);
  EXPECT_THAT(host->sources, IsEmpty());
}

TEST_F(PackageHostOfATree, IsRefusedOnOtherDistributions) {
  put("etc/os-release", "ID=fedora\n");
  auto host = read_package_host(root_, {}, "/tmp");
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().code, "no_distribution");
}

}  // namespace
}  // namespace gantry::sandbox
