#include "sandbox/image_maker.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

// The root is read-only when programs run, so Python could never keep what it has compiled: it is
// compiled here, once, which makes `import asyncio` ten times faster. Not checked against the
// sources' times, because those are all set to one. An image without it works too.
constexpr std::string_view compile_python =
    R"hook(chroot "$1" /usr/bin/python3 -c "import compileall, sysconfig, py_compile as p; )hook"
    R"hook(compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2, )hook"
    R"hook(invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)" || true)hook";

// What the packages' own scripts would have linked: they do not run, because nothing is configured.
constexpr std::string_view link_java =
    R"hook(cd "$1" && for tool in usr/lib/jvm/java-[0-9][0-9]-openjdk-*/bin/*; do )hook"
    R"hook(ln -sf "/$tool" usr/bin/; done)hook";
constexpr std::string_view link_blas =
    R"hook(for file in "$1"/usr/lib/*/blas/libblas.so.3 )hook"
    R"hook("$1"/usr/lib/*/lapack/liblapack.so.3; do )hook"
    R"hook(folder=$(dirname "$file"); name=$(basename "$file"); )hook"
    R"hook(ln -s "$(basename "$folder")/$name" "$folder/../$name"; done)hook";
constexpr std::string_view enable_php_modules =
    R"hook(for ini in "$1"/usr/share/php*/*/*.ini; do for to in "$1"/etc/php/*/cli/conf.d; do )hook"
    R"hook(cp "$ini" "$to/20-$(basename "$ini")"; done; done)hook";

const std::vector<ImageRecipe>& table() {
  using enum ImageRecipe::Made;
  static const std::vector<ImageRecipe> recipes{
      {"python",
       "gantry/python:latest",
       "python:3.11-alpine",
       "python-1",
       {"busybox-static", "python3-minimal", "libpython3-stdlib"},
       {{"usr/bin/python", "python3"}},
       compile_python,
       usually},
      {"node",
       "gantry/node:latest",
       "node:20-alpine",
       "node-1",
       {"busybox-static", "nodejs"},
       {{"usr/bin/node", "nodejs"}},
       {},
       usually},
      {"sh", "gantry/sh:latest", "alpine:latest", "sh-1", {"busybox-static"}, {}, {}, usually},
      {"gcc",
       "gantry/gcc:latest",
       "gcc:13",
       "gcc-1",
       {"busybox-static", "gcc", "g++", "libc6-dev"},
       {{"usr/bin/cc", "gcc"}, {"usr/bin/c++", "g++"}},
       {},
       usually},
      {"typescript",
       "gantry/typescript:latest",
       {},
       "typescript-1",
       {"busybox-static", "nodejs", "node-typescript"},
       {{"usr/bin/node", "nodejs"}},
       {},
       when_asked,
       {"usr/share/nodejs/@types"}},
      {"go",
       "gantry/go:latest",
       "golang:1.22-alpine",
       "go-1",
       {"busybox-static", "golang-go"},
       {},
       {},
       when_asked},
      {"rust",
       "gantry/rust:latest",
       "rust:1-alpine",
       "rust-1",
       {"busybox-static", "rustc", "gcc", "libc6-dev"},
       {{"usr/bin/cc", "gcc"}},
       {},
       when_asked},
      {"java",
       "gantry/java:latest",
       "eclipse-temurin:21",
       "java-1",
       {"busybox-static", "default-jdk-headless"},
       {},
       link_java,
       when_asked},
      {"ruby",
       "gantry/ruby:latest",
       "ruby:3-alpine",
       "ruby-1",
       {"busybox-static", "libc-bin", "ruby"},
       {},
       {},
       when_asked},
      {"php",
       "gantry/php:latest",
       "php:8-cli-alpine",
       "php-1",
       {"busybox-static", "php-cli"},
       {{"usr/bin/php", "php.default"}},
       enable_php_modules,
       when_asked},
      {"perl",
       "gantry/perl:latest",
       "perl:5-slim",
       "perl-1",
       {"busybox-static", "libc-bin", "perl"},
       {},
       {},
       when_asked},
      {"lua",
       "gantry/lua:latest",
       {},
       "lua-1",
       {"busybox-static", "lua5.4"},
       {{"usr/bin/lua", "lua5.4"}},
       {},
       when_asked},
      {"r",
       "gantry/r:latest",
       "r-base:latest",
       "r-1",
       {"busybox-static", "bash", "libc-bin", "r-base-core"},
       {{"etc/R/Renviron", "/usr/lib/R/etc/Renviron.ucf"}},
       link_blas,
       when_asked},
  };
  return recipes;
}

}  // namespace

std::span<const ImageRecipe> image_recipes() { return table(); }

const ImageRecipe* find_recipe(std::string_view name) {
  for (const auto& recipe : table()) {
    auto untagged = recipe.image.substr(0, recipe.image.rfind(':'));
    if (name == recipe.name || name == recipe.image || name == untagged) return &recipe;
  }
  return nullptr;
}

std::string recipe_names() {
  std::vector<std::string_view> names;
  for (const auto& recipe : table()) names.push_back(recipe.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace gantry::sandbox
