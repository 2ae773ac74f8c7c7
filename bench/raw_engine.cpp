#include "raw_engine.hpp"

#include "base/random.hpp"
#include "sandbox/hardening.hpp"
#include "sandbox/init_volume.hpp"

#include <utility>

namespace gantry::bench {

async::task<void> RawEngine::prepare(const Workload& work) {
  sandbox::Images images{executor_, engine_, {}};
  sandbox::InitVolume volume{executor_, engine_, "bench"};
  auto image = value_or_throw(
      co_await images.resolve(work.image, sandbox::Logins::stored, [](const std::string&) {}));
  volume_ = value_or_throw(co_await volume.ensure(image.id));
  images_[work.image] = std::move(image);
  co_await images.close();
}

engine::ContainerSpec RawEngine::spec_of(const Workload& work, int user) const {
  auto spec = sandbox::hardened_container(sandbox::Policy{}, images_.at(work.image),
                                          {.owner = "bench",
                                           .label = random::word(12),
                                           .user_id = user,
                                           .init_volume = volume_,
                                           .deadline = {}});
  spec.open_stdin = spec.stdin_once = spec.attach_stdin = false;
  return spec;
}

async::task<void> RawEngine::run(const Workload& work) {
  auto user = slots_.take().value();
  auto spec = spec_of(work, user);
  spec.entrypoint = work.command;
  auto created = value_or_throw(
      co_await engine::create_container(engine_, "gantry-bench-" + random::word(8), spec));
  value_or_throw(co_await engine::start_container(engine_, created.id));
  auto ended = value_or_throw(
      co_await engine::wait_container(engine_, created.id, engine::WaitCondition::not_running));
  value_or_throw(co_await engine::remove_container(engine_, created.id, {.volumes = true}));
  slots_.give_back(user);
  if (ended.code != 0) wrong("a raw run failed");
}

}  // namespace gantry::bench
