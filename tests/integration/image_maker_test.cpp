#include "sandbox/image_maker.hpp"

#include "async/workers.hpp"
#include "integration/real_engine.hpp"
#include "sandbox/labels.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Makes the images of this machine's packages and runs programs in them as `docker run` would.
class ImagesOfPackages : public RealEngine {
 protected:
  ImageMaker maker() {
    auto temporary = std::filesystem::temp_directory_path();
    auto env = std::vector<std::string>{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    for (const auto* name : {"HOME", "http_proxy", "https_proxy", "no_proxy"}) {
      if (const auto* value = std::getenv(name)) env.push_back(std::string{name} + "=" + value);
    }
    return {loop_.executor(), *client_, workers_,
            value_or_throw(read_package_host("/", env, temporary))};
  }

  std::string make(std::string_view name) {
    return must(maker().make(*find_recipe(name), [](const std::string&) {}));
  }

  /// What a command prints on both outputs, with a read-only root as in a sandbox.
  std::string output_of(const std::string& image_id, std::vector<std::string> command) {
    auto spec = sleeper();
    spec.image = image_id;
    spec.entrypoint = std::move(command);
    spec.read_only_root = true;
    spec.user = "40000:40000";
    auto container = must(engine::create_container(*client_, fresh_name(), spec));
    run(engine::start_container(*client_, container.id));
    auto ended =
        must(engine::wait_container(*client_, container.id, engine::WaitCondition::not_running));
    auto logs = run(read_logs(container.id));
    return logs + "exit " + std::to_string(ended.code);
  }

  async::task<std::string> read_logs(std::string container) {
    auto logs = value_or_throw(
        co_await engine::container_logs(*client_, container, engine::Framing::multiplexed, {}));
    std::string text;
    while (auto frame = co_await logs.read(Milliseconds{10'000})) text += frame->bytes;
    co_return text;
  }

  async::Workers workers_{1, 16};
};

TEST_F(ImagesOfPackages, PythonHasItsStandardLibrary) {
  auto image_id = make("python");
  EXPECT_EQ(output_of(image_id,
                      {"python3", "-c",
                       "import json, asyncio, ctypes, sqlite3, ssl, decimal, lzma, bz2, zlib, "
                       "hashlib, uuid, csv, xml.etree.ElementTree, unittest, zoneinfo; "
                       "print(sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0])"}),
            "42\nexit 0");
  EXPECT_EQ(output_of(image_id, {"python", "-c",
                                 "print(len(__import__('json').__cached__) > 0, "
                                 "__import__('os').path.exists("
                                 "__import__('json').__cached__))"}),
            "True True\nexit 0")
      << "the standard library is compiled in the image";
}

TEST_F(ImagesOfPackages, TheShellHasItsTools) {
  auto image_id = make("sh");
  EXPECT_EQ(output_of(image_id, {"/bin/sh", "-c",
                                 "echo b a | tr ' ' '\\n' | sort | xargs; "
                                 "/usr/bin/env printf '%s' x; awk 'BEGIN{print 7}'"}),
            "a b\nx7\nexit 0");
  EXPECT_THAT(output_of(image_id, {"ls", "-a", "/"}), Not(HasSubstr("python")));
}

TEST_F(ImagesOfPackages, AreLabelledWithTheirRecipe) {
  make("sh");
  auto details = must(engine::inspect_image(*client_, "gantry/sh:latest"));
  EXPECT_EQ(details.labels[labels::recipe], find_recipe("sh")->marker);
  EXPECT_EQ(details.cmd, std::vector<std::string>{"sh"});
}

TEST_F(ImagesOfPackages, NodeRunsJavascript) {
  auto made = run(maker().make(*find_recipe("node"), [](const std::string&) {}));
  if (!made) GTEST_SKIP() << made.error().sentence();
  EXPECT_EQ(output_of(*made, {"node", "-e", "console.log([1, 2].map(n => n * 21).at(-1))"}),
            "42\nexit 0");
}

}  // namespace
}  // namespace gantry::sandbox
