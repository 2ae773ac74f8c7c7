#include "main/execution_options.hpp"

#include <chrono>

namespace gantry::main {
namespace {

constexpr std::size_t running_max = 256;
constexpr std::size_t queued_max = 100'000;
constexpr std::size_t kept_max = 10'000'000;
constexpr std::size_t kept_bytes_max = std::size_t{1} << 44U;
constexpr std::size_t kept_days_max = 36'500;
constexpr std::size_t pool_most = 64;
// The server holds the workspace of a running program in its memory, some times over.
constexpr std::size_t workspace_bytes_most = std::size_t{256} << 20U;
constexpr std::size_t workspace_files_most = 16'000;
constexpr std::size_t user_workspaces_most = 1'000;
constexpr std::size_t pool_bytes_most = std::size_t{1} << 40U;

/// Reads numbers one after the other; keeps the first mistake.
struct Numbers {
  const Settings& settings;
  Result<> mistake = ok;

  std::size_t read(std::string_view key, std::size_t fallback, std::size_t max,
                   std::size_t min = 1) {
    auto number = number_setting(settings, key, fallback, max, min);
    if (!number && mistake) mistake = fail(number.error());
    return number.value_or(fallback);
  }
};

/// A list; as it was when nobody has given it.
void read_texts(const Settings& settings, std::string_view key, std::vector<std::string>& texts) {
  auto given = settings.find(key);
  if (given != settings.end()) texts = given->second.texts;
}

}  // namespace

Result<ExecutionOptions> execution_options(const Settings& settings) {
  Numbers numbers{settings};
  ExecutionOptions options;
  options.user = {numbers.read("user_executions_max", options.user.running_max, running_max),
                  numbers.read("user_queue_max", options.user.queued_max, queued_max)};
  options.token = {numbers.read("token_executions_max", options.token.running_max, running_max),
                   numbers.read("token_queue_max", options.token.queued_max, queued_max)};
  auto& kept = options.kept;
  kept.count_max = static_cast<std::int64_t>(
      numbers.read("keep_count", static_cast<std::size_t>(kept.count_max), kept_max));
  kept.bytes_max = Bytes{numbers.read("keep_bytes", kept.bytes_max.count, kept_bytes_max)};
  auto days = std::chrono::duration_cast<std::chrono::days>(kept.age_max).count();
  kept.age_max =
      std::chrono::days{numbers.read("keep_days", static_cast<std::size_t>(days), kept_days_max)};
  auto& pool = options.pool;
  pool.ready_min = numbers.read("pool_min", pool.ready_min, pool_most, 0);
  pool.ready_max = numbers.read("pool_max", pool.ready_max, pool_most, 0);
  pool.memory = Bytes{numbers.read("pool_memory", pool.memory.count, pool_bytes_most, 0)};
  auto& workspaces = options.workspaces;
  workspaces.bytes_max =
      Bytes{numbers.read("workspace_bytes", workspaces.bytes_max.count, workspace_bytes_most)};
  workspaces.files_max =
      numbers.read("workspace_files", workspaces.files_max, workspace_files_most);
  workspaces.user_max =
      numbers.read("user_workspaces_max", workspaces.user_max, user_workspaces_most);
  if (!numbers.mistake) return fail(numbers.mistake.error());
  auto everywhere = switch_setting(settings, "webhook_private");
  if (!everywhere) return fail(everywhere.error());
  if (*everywhere) options.webhook_reach = net::Reach::anything;
  read_texts(settings, "outbound_dns", options.outbound.dns);
  read_texts(settings, "outbound_blocked", options.outbound.blocked);
  if (auto sound = options.outbound.check(); !sound) return fail(sound.error());
  options.webhook_secret = Secret{text_setting(settings, "webhook_secret", "")};
  return options;
}

}  // namespace gantry::main
