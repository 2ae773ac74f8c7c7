#pragma once

#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "sandbox/apt_sources.hpp"
#include "sandbox/images.hpp"
#include "sandbox/root_tar.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Images made on the spot from the distribution's own packages, for engines that can reach no
/// registry (docs/adr/0013).
namespace gantry::sandbox {

/// What one of our images is made of.
struct ImageRecipe {
  std::string_view name;    ///< `python`: what `gantry images make` calls it.
  std::string_view image;   ///< `gantry/python:latest`; never anybody else's name.
  std::string_view serves;  ///< The image it stands in for; empty: only itself.
  std::string_view marker;  ///< Value of the label io.gantry.recipe; changes with the recipe.
  std::vector<std::string_view> packages;
  std::vector<root_tar::Link> links;
  /// A mmdebstrap hook that finishes the unpacked packages; empty: none.
  std::string_view hook;
  /// Large ones are made only for who asks for them.
  enum class Made { usually, when_asked } made = Made::usually;
  std::vector<std::string_view> kept = {};  ///< Folders that images otherwise do without.
};

/// All of them, python first.
std::span<const ImageRecipe> image_recipes();
/// By name (`python`) or image (`gantry/python`, with or without tag); nullptr when unknown.
const ImageRecipe* find_recipe(std::string_view name);
/// `python, node, sh, …`: for error messages.
std::string recipe_names();

/// What of this machine an image is made with.
struct PackageHost {
  std::string codename;              ///< `bookworm`
  std::vector<std::string> sources;  ///< One-line entries; empty: mmdebstrap's default mirror.
  std::vector<std::string> env;      ///< `NAME=value` for mmdebstrap: PATH, HOME, proxies.
  std::filesystem::path temporary;   ///< Where working folders go.
};

/// Reads /etc/os-release and /etc/apt below `root` (`/`). Blocks. Refuses (not_found,
/// `no_distribution`) a machine that is no Debian or Ubuntu.
Result<PackageHost> read_package_host(const std::filesystem::path& root,
                                      std::vector<std::string> env,
                                      std::filesystem::path temporary);

/// The arguments of mmdebstrap that put the recipe's packages into the archive `into`.
std::vector<std::string> package_command(const ImageRecipe& recipe, const PackageHost& host,
                                         const std::filesystem::path& into);

/// Makes images and imports them into one engine.
class ImageMaker {
 public:
  ImageMaker(async::Executor executor, engine::Client& engine, async::Workers& workers,
             PackageHost host)
      : executor_{std::move(executor)},
        engine_{engine},
        workers_{workers},
        host_{std::move(host)} {}

  /// Answers the image's id. Needs a few hundred MB in the temporary folder for as long as it
  /// takes, and root or unprivileged user namespaces (mmdebstrap finds out which).
  async::task<Result<std::string>> make(const ImageRecipe& recipe, OnProgress progress);

 private:
  async::task<Result<std::string>> make_in(const ImageRecipe& recipe, std::filesystem::path folder,
                                           OnProgress progress);
  async::task<Result<>> fetch(const ImageRecipe& recipe, std::filesystem::path into);
  async::task<void> remove(std::filesystem::path folder);

  async::Executor executor_;
  engine::Client& engine_;
  async::Workers& workers_;
  PackageHost host_;
};

}  // namespace gantry::sandbox
