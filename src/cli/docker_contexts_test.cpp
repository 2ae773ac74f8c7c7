#include "cli/docker_contexts.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "sandbox/tar.hpp"

#include <array>
#include <fstream>

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::string_view meta =
    R"({"Name":"My Server","Metadata":{"Description":"x"},
        "Endpoints":{"docker":{"Host":"tcp://db1:2376","SkipTLSVerify":false}}})";

class DockerContextTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const fs::path& path, std::string_view text) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream{folder_ / path, std::ios::binary} << text;
  }

  fs::path folder_ = fs::temp_directory_path() / random::word(12);
};

TEST_F(DockerContextTest, IsReadFromAnExport) {
  std::array entries{sandbox::tar::Entry{.name = "meta.json", .content = meta},
                     sandbox::tar::Entry{.name = "tls/docker/ca.pem", .content = "CA"},
                     sandbox::tar::Entry{.name = "tls/docker/key.pem", .content = "KEY"}};
  write("a.dockercontext", sandbox::tar::of_files(entries));
  auto context = value_or_throw(read_exported_context(folder_ / "a.dockercontext"));
  EXPECT_EQ(json::serialize(json::Value(host_body(context, host_name_of(context.name)))),
            R"({"name":"my-server","endpoint":"tls://db1:2376","tls":{"ca":"CA","key":"KEY"}})");
}

TEST_F(DockerContextTest, IsReadFromTheStoreByItsName) {
  auto id = encoding::sha256_hex("My Server");
  write("contexts/meta/" + id + "/meta.json", meta);
  write("contexts/tls/" + id + "/docker/cert.pem", "CERT");
  EXPECT_THAT(engine::own_context_names(folder_), ElementsAre("My Server"));
  auto context = value_or_throw(engine::read_own_context(folder_, "My Server"));
  EXPECT_EQ(context.endpoint, "tls://db1:2376");
  EXPECT_EQ(context.certificate, "CERT");
}

TEST_F(DockerContextTest, WithoutCertificatesStaysInClearText) {
  auto file = [](std::string_view name) -> std::optional<std::string> {
    if (name == "meta.json") return std::string{meta};
    return std::nullopt;
  };
  EXPECT_EQ(value_or_throw(engine::read_docker_context(file, "x")).endpoint, "tcp://db1:2376");
}

TEST_F(DockerContextTest, IsRefusedWithTheReason) {
  auto of = [](std::string text) {
    return engine::read_docker_context(
               [text](std::string_view name) -> std::optional<std::string> {
                 if (name == "meta.json") return text;
                 return std::nullopt;
               },
               "x")
        .error()
        .message;
  };
  EXPECT_THAT(of("{"), HasSubstr("cannot use Docker context 'x'"));
  EXPECT_THAT(of(R"({"Name":"x"})"), HasSubstr("has no Docker endpoint"));
  EXPECT_THAT(of(R"({"Endpoints":{"docker":{"Host":"tcp://a","SkipTLSVerify":true}}})"),
              HasSubstr("does not check the engine's certificate"));
  EXPECT_THAT(read_exported_context(folder_ / "none").error().message,
              HasSubstr("can not be read"));
  EXPECT_THAT(engine::read_own_context(folder_, "none").error().message,
              HasSubstr("there is no such context"));
}

TEST(HostNameOf, IsANameThatHostsCanHave) {
  EXPECT_EQ(host_name_of("My Server"), "my-server");
  EXPECT_EQ(host_name_of("--x"), "x");
  EXPECT_EQ(host_name_of("..."), "");
}

}  // namespace
}  // namespace gantry::cli
