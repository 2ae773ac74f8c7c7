#include "sandbox/init_volume.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "engine/containers.hpp"
#include "engine/volumes.hpp"
#include "sandbox/embedded.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/tar.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds fill_max{60'000};
constexpr Milliseconds remove_max{30'000};
constexpr const char* folder = "/gantry-init-volume";
constexpr const char* folder_name = "gantry-init-volume";

std::string hash_of_files() {
  std::string all;
  for (const auto& file : embedded::init_files()) {
    all += fmt::format("{} {:o} {}\n", file.name, file.mode, encoding::sha256_hex(file.content));
  }
  return encoding::sha256_hex(all);
}

async::task<Result<>> volume_holds_ours(engine::Client& engine, std::string container) {
  Bytes archive_max{256U << 10U};
  for (const auto& file : embedded::init_files()) archive_max.count += file.content.size();
  auto archive =
      co_await async::attempt(engine::get_archive(engine, container, folder, archive_max));
  if (!archive) co_return fail(archive.error());
  for (const auto& file : embedded::init_files()) {
    auto name = fmt::format("{}/{}", folder_name, file.name);
    if (tar::regular_file(*archive, name, file.content.size()) == file.content) continue;
    co_return fail(ErrorKind::not_found, "init_differs",
                   fmt::format("the volume holds another '{}'", file.name));
  }
  co_return ok;
}

async::task<void> remove(engine::Client& engine, std::string container) {
  auto removed = co_await async::attempt(async::with_deadline(
      remove_max, "removing a container",
      engine::remove_container(engine, container, {.force = true, .volumes = true})));
  if (!removed && removed.error().kind != ErrorKind::not_found) {
    log::warn("{}", removed.error().sentence());
  }
}

}  // namespace

InitVolume::InitVolume(async::Executor executor, engine::Client& engine, std::string owner)
    : engine_{engine},
      owner_{std::move(owner)},
      name_{fmt::format("gantry-init-{}", hash_of_files().substr(0, 16))},
      changed_{executor} {}

async::task<Result<std::string>> InitVolume::ensure(std::string image_id) {
  while (filling_) co_await changed_.wait();
  if (verified_) co_return name_;
  filling_ = true;
  auto filled = co_await async::shielded(async::attempt(
      async::with_deadline(fill_max, "filling the volume of gantry-init", fill(image_id))));
  filling_ = false;
  verified_ = filled.has_value();
  changed_.notify();
  if (!filled) co_return fail(filled.error());
  co_return name_;
}

async::task<Result<>> InitVolume::fill(std::string image_id) {
  auto volume = co_await engine::create_volume(engine_, name_, {{labels::kind, "init-volume"}});
  if (!volume) co_return fail(volume.error());

  engine::ContainerSpec spec;
  spec.image = image_id;
  spec.entrypoint = std::vector<std::string>{"/never-started"};
  spec.network_mode = "none";
  spec.healthcheck = engine::Healthcheck::none;
  spec.mounts = {{.volume = name_, .target = folder, .read_only = false}};
  spec.labels = {{labels::kind, "init-volume"}, {labels::owner, owner_}};
  auto name = fmt::format("{}{}", filler_name_begin, random::word(8));
  auto created = co_await engine::create_container(engine_, name, spec);
  if (!created) co_return fail(created.error());
  co_return co_await async::finally(fill_through(created->id), remove(engine_, created->id));
}

async::task<Result<>> InitVolume::fill_through(std::string container) {
  auto holds = co_await volume_holds_ours(engine_, container);
  if (holds) co_return ok;
  std::vector<tar::Entry> entries;
  for (const auto& file : embedded::init_files()) {
    entries.push_back({.name = std::string{file.name}, .content = file.content, .mode = file.mode});
  }
  auto put = co_await engine::put_archive(engine_, container, folder,
                                          engine::source_of(tar::of_files(entries)));
  if (!put) co_return fail(put.error());
  co_return co_await volume_holds_ours(engine_, container);
}

}  // namespace gantry::sandbox
