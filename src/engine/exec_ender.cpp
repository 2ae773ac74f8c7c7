#include "engine/exec_ender.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "engine/containers.hpp"

#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Milliseconds inspect_max{5'000};
constexpr Milliseconds create_max{10'000};
constexpr Milliseconds work_max{15'000};
constexpr Milliseconds remove_max{10'000};
constexpr std::int64_t memory_max = 64LL << 20U;
constexpr std::int64_t pids_max = 16;
/// What src/ender/main.c says with its exit code.
constexpr std::int64_t exit_ended = 0;
constexpr std::int64_t exit_not_found = 11;
constexpr int tries_max = 3;

int number_of(std::string_view signal) { return signal == "TERM" ? SIGTERM : SIGHUP; }

/// To look into the environment of any process takes SYS_PTRACE, and DAC_READ_SEARCH to open it;
/// to signal any, KILL.
ContainerSpec spec_of(const Ender::Dress& dress, const ContainerDetails& beside,
                      const MarkedExec& exec, const std::string& first) {
  ContainerSpec spec;
  spec.image = beside.image_id;
  spec.user = "0:0";
  spec.entrypoint =
      std::vector<std::string>{"/gantry-ender", exec.mark, std::to_string(number_of(first))};
  if (exec.session) spec.entrypoint->push_back(std::to_string(*exec.session));
  spec.working_dir = "/";
  spec.labels = dress.labels;
  spec.healthcheck = Healthcheck::none;
  spec.memory_bytes = memory_max;
  spec.memory_swap_bytes = memory_max;
  spec.pids_limit = pids_max;
  spec.cap_drop = {"ALL"};
  spec.cap_add = {"KILL", "SYS_PTRACE", "DAC_READ_SEARCH"};
  spec.security_opt = {"no-new-privileges:true"};
  spec.network_mode = "none";
  spec.pid_mode = "container:" + beside.id;
  spec.log_driver = "none";
  spec.auto_remove = true;
  return spec;
}

async::task<void> remove(Client& client, std::string container) {
  auto removed = co_await async::attempt(
      async::with_deadline(remove_max, "removing a container",
                           remove_container(client, container, {.force = true, .volumes = true})));
  // The engine may be at it by itself, or have done so.
  bool is_gone = removed || removed.error().kind == ErrorKind::not_found ||
                 removed.error().kind == ErrorKind::conflict;
  if (!is_gone) log::warn("{}", removed.error().sentence());
}

/// An engine that has made more of it than was asked for gets nothing to run. The image's variables
/// are nothing to a static program; the volumes that it declares are new, and go with the
/// container.
async::task<Result<>> check_made(Client& client, std::string container, ContainerSpec spec) {
  auto made = co_await inspect_container(client, std::move(container));
  if (!made) co_return fail(std::move(made.error()));
  auto differences = compare(spec, *made);
  std::erase_if(differences, [](const Difference& one) {
    return one.field == "env" || one.field == "mounts" || one.field == "volumes";
  });
  if (differences.empty()) co_return ok;
  co_return fail(
      ErrorKind::unavailable, "not_as_asked",
      fmt::format("the engine makes something else than was asked for: {}", describe(differences)));
}

async::task<Result<>> work(Client& client, std::string container, ContainerSpec spec,
                           std::string archive) {
  auto made = co_await check_made(client, container, std::move(spec));
  if (!made) co_return fail(std::move(made.error()));
  auto put = co_await put_archive(client, container, "/", source_of(std::move(archive)));
  if (!put) co_return fail(std::move(put.error()));
  auto wait = co_await begin_wait(client, container, WaitCondition::next_exit);
  if (!wait) co_return fail(std::move(wait.error()));
  auto started = co_await start_container(client, container);
  if (!started) co_return fail(std::move(started.error()));
  auto exited = co_await wait->finished();
  if (!exited) co_return fail(std::move(exited.error()));
  if (exited->code == exit_ended) co_return ok;
  co_return fail(ErrorKind::unavailable, "not_ended",
                 exited->code == exit_not_found
                     ? "its process can not be found in the container"
                     : fmt::format("its process can not be killed from beside the container ({})",
                                   exited->code));
}

/// A container that has been made, and how.
struct Made {
  std::string id;
  ContainerSpec spec;
};

/// Another name where somebody has that one.
async::task<Result<Made>> create(Client& client, const Ender& ender, const ContainerDetails& beside,
                                 MarkedExec exec, std::string first) {
  for (int tries = 1;; ++tries) {
    auto dress = ender.dress();
    auto spec = spec_of(dress, beside, exec, first);
    auto made = co_await create_container(client, dress.name, spec);
    if (made) co_return Made{std::move(made->id), std::move(spec)};
    bool is_taken = made.error().kind == ErrorKind::conflict;
    if (!is_taken || tries == tries_max) co_return fail(std::move(made.error()));
  }
}

/// What it was given is in `made` even when its caller has gone meanwhile.
async::task<Result<>> create_into(Client& client, const Ender& ender,
                                  const ContainerDetails& beside, const MarkedExec& exec,
                                  std::string first, std::optional<Made>& made) {
  auto created = co_await async::with_deadline(
      create_max, "creating a container", create(client, ender, beside, exec, std::move(first)));
  if (!created) co_return fail(std::move(created.error()));
  made = std::move(*created);
  co_return ok;
}

async::task<Result<>> create_and_work(Client& client, const Ender& ender,
                                      const ContainerDetails& beside, const MarkedExec& exec,
                                      std::string first, std::optional<Made>& made) {
  // An engine goes on with what it was asked for: only its answer tells what is to be removed.
  auto created =
      co_await async::shielded(create_into(client, ender, beside, exec, std::move(first), made));
  if (!created) co_return created;
  co_return co_await async::with_deadline(work_max, "ending it",
                                          work(client, made->id, made->spec, ender.archive));
}

async::task<void> remove_if_made(Client& client, const std::optional<Made>& made) {
  if (made) co_await remove(client, made->id);
}

async::task<Result<>> end(Client& client, const Ender& ender, MarkedExec exec, std::string first) {
  auto beside = co_await async::with_deadline(inspect_max, "inspecting the container",
                                              inspect_container(client, exec.container));
  if (!beside) co_return fail(std::move(beside.error()));
  auto& pids = beside->unasked.pid_mode;
  if (!pids.empty() && pids != "private") {
    co_return fail(ErrorKind::conflict, "host_processes",
                   "the container shares the processes of others, which are not to be touched");
  }
  std::optional<Made> made;
  co_return co_await async::finally(
      create_and_work(client, ender, *beside, exec, std::move(first), made),
      remove_if_made(client, made));
}

}  // namespace

async::task<Result<>> end_from_beside(Client& client, const Ender& ender, MarkedExec exec,
                                      std::string first) {
  co_return co_await async::attempt(end(client, ender, std::move(exec), std::move(first)));
}

async::task<void> remove_left_enders(Client& client, const Ender& ender) {
  auto listed = value_or_throw(co_await async::with_deadline(
      inspect_max, "listing containers", list_containers(client, ListScope::all, {ender.label})));
  for (const auto& container : listed) {
    // A container inherits the labels of its image: these alone prove nothing.
    if (!ender.is_left(container)) continue;
    co_await remove(client, container.id);
    log::info("removed container {}, which was to end a process and was left behind", container.id);
  }
}

}  // namespace gantry::engine
