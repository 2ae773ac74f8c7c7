#include "fleet/actions.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace gantry::fleet {
namespace {

using Warnings = std::vector<std::string>;
using Parameters = ActionParameters;

async::task<Result<Warnings>> without_warnings(async::task<Result<>> work) {
  auto done = co_await std::move(work);
  if (!done) co_return fail(std::move(done.error()));
  co_return Warnings{};
}

async::task<Result<Warnings>> start(engine::Client& client, std::string id, Parameters) {
  return without_warnings(engine::start_container(client, std::move(id)));
}
async::task<Result<Warnings>> stop(engine::Client& client, std::string id, Parameters wish) {
  return without_warnings(engine::stop_container(client, std::move(id), wish.grace));
}
async::task<Result<Warnings>> restart(engine::Client& client, std::string id, Parameters wish) {
  return without_warnings(engine::restart_container(client, std::move(id), wish.grace));
}
async::task<Result<Warnings>> pause(engine::Client& client, std::string id, Parameters) {
  return without_warnings(engine::pause_container(client, std::move(id)));
}
async::task<Result<Warnings>> unpause(engine::Client& client, std::string id, Parameters) {
  return without_warnings(engine::unpause_container(client, std::move(id)));
}
async::task<Result<Warnings>> kill(engine::Client& client, std::string id, Parameters wish) {
  return without_warnings(engine::kill_container(client, std::move(id), std::move(wish.signal)));
}
async::task<Result<Warnings>> rename(engine::Client& client, std::string id, Parameters wish) {
  return without_warnings(engine::rename_container(client, std::move(id), std::move(wish.name)));
}
async::task<Result<Warnings>> remove(engine::Client& client, std::string id, Parameters wish) {
  return without_warnings(engine::remove_container(client, std::move(id), wish.remove));
}
async::task<Result<Warnings>> update(engine::Client& client, std::string id, Parameters wish) {
  return engine::update_container(client, std::move(id), std::move(wish.update));
}

json::Object nothing(const Parameters&) { return {}; }
json::Object grace(const Parameters& wish) { return {{"grace_seconds", wish.grace.count()}}; }
json::Object signal(const Parameters& wish) { return {{"signal", wish.signal}}; }
json::Object name(const Parameters& wish) { return {{"name", wish.name}}; }
json::Object removal(const Parameters& wish) {
  return {{"force", wish.remove.force}, {"volumes", wish.remove.volumes}};
}

template <class T>
void put(json::Object& into, std::string_view key, const std::optional<T>& value) {
  if (value) into[key] = *value;
}

json::Object limits(const Parameters& wish) {
  json::Object out;
  put(out, "memory_bytes", wish.update.memory_bytes);
  put(out, "memory_swap_bytes", wish.update.memory_swap_bytes);
  put(out, "nano_cpus", wish.update.nano_cpus);
  put(out, "pids", wish.update.pids_limit);
  put(out, "cpu_shares", wish.update.cpu_shares);
  if (wish.update.restart) out["restart"] = wish.update.restart->name;
  return out;
}

using enum ContainerAction::Bulk;
constexpr auto operator_ = access::Role::operator_;

constexpr std::array table{
    ContainerAction{"start", "container.start", operator_, yes, &start, &nothing},
    ContainerAction{"stop", "container.stop", operator_, yes, &stop, &grace},
    ContainerAction{"restart", "container.restart", operator_, yes, &restart, &grace},
    ContainerAction{"pause", "container.pause", operator_, yes, &pause, &nothing},
    ContainerAction{"unpause", "container.unpause", operator_, yes, &unpause, &nothing},
    ContainerAction{"kill", "container.kill", operator_, yes, &kill, &signal},
    ContainerAction{"rename", "container.rename", operator_, no, &rename, &name},
    ContainerAction{"remove", "container.remove", operator_, yes, &remove, &removal},
    ContainerAction{"update", "container.update", operator_, yes, &update, &limits},
};

}  // namespace

std::span<const ContainerAction> container_actions() { return table; }

const ContainerAction* find_action(std::string_view word) {
  const auto* found = std::ranges::find(table, word, &ContainerAction::word);
  return found == table.end() ? nullptr : found;
}

async::task<Result<std::vector<std::string>>> act(Operations& operations, Actor actor,
                                                  ActionTarget target,
                                                  const ContainerAction& action,
                                                  ActionParameters parameters) {
  auto told = action.told(parameters);
  told["id"] = target.id;
  // The client's own patience is a minute beyond the grace: this is the last resort.
  auto deadline = Milliseconds{parameters.grace} + Seconds{120};
  co_return co_await operations.run(
      {.actor = std::move(actor),
       .host = target.host->name(),
       .action = std::string{action.audited},
       .object = target.name,
       .parameters = std::move(told),
       .deadline = deadline},
      action.run(target.host->engine(), target.id, std::move(parameters)));
}

bool valid_signal(std::string_view text) {
  constexpr int signal_max = 64;
  int number = 0;
  const auto* end = text.data() + text.size();
  if (auto [stop, bad] = std::from_chars(text.data(), end, number); bad == std::errc{}) {
    return stop == end && number >= 1 && number <= signal_max;
  }
  auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
  };
  return text.size() >= 2 && text.size() <= 16 && std::ranges::all_of(text, plain);
}

}  // namespace gantry::fleet
