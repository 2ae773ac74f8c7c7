#include "sandbox/canary.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"
#include "engine/volumes.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/image_maker.hpp"
#include "sandbox/init_volume.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds run_max{20'000};
constexpr Milliseconds remove_max{5'000};
constexpr Milliseconds program_max{8'000};
constexpr Bytes little_memory{64U << 20U};
constexpr int few_processes = 16;
constexpr std::size_t printed_max = 16U << 10U;

/// Those whose `sh` gives up at once when it may not fork.
constexpr std::array images{"gantry/sh:latest", "alpine:latest", "busybox:latest",
                            "python:3.11-alpine", "node:20-alpine"};

/// Prints what it sees of its surroundings, `name=value` a line. The last part needs a process
/// more than it may have; what it says of that comes from the shell itself.
constexpr std::string_view looker = R"(while read -r name value rest; do
  case $name in
    Uid:) echo "uid=$value" ;;
    CapEff:) echo "capabilities=$value" ;;
    NoNewPrivs:) echo "no_new_privs=$value" ;;
    Seccomp:) echo "seccomp=$value" ;;
  esac
done < /proc/self/status
while read -r line; do
  case $line in
    *:*) echo "interface=${line%%:*}" ;;
  esac
done < /proc/net/dev
(: > /canary) 2> /dev/null && echo "root=writable"
echo "looked=1"
(i=0; while [ $i -lt 64 ]; do sleep 5 & i=$((i + 1)); done; echo "processes=$i") 2> /dev/null
exit 0
)";
/// Takes memory until somebody ends it.
constexpr std::string_view eater = "a=canary\nwhile :; do a=$a$a; done\n";

/// One thing that must hold; `seen` is what the program said of it.
struct Promise {
  std::string_view held;
  std::string_view name;
  bool (*holds)(std::string_view seen);
};
constexpr std::array promises{
    Promise{"seccomp", "seccomp", [](std::string_view seen) { return seen == "2"; }},
    Promise{"no new privileges", "no_new_privs", [](std::string_view seen) { return seen == "1"; }},
    Promise{"no capabilities", "capabilities",
            [](std::string_view seen) {
              return !seen.empty() && seen.find_first_not_of('0') == seen.npos;
            }},
    Promise{"a user who is not root", "uid",
            [](std::string_view seen) { return !seen.empty() && seen != "0"; }},
    Promise{"no network", "interface", [](std::string_view seen) { return seen == "lo"; }},
    Promise{"a read-only root", "root", [](std::string_view seen) { return seen.empty(); }},
    Promise{"the limit of processes", "processes",
            [](std::string_view seen) { return seen.empty(); }},
};

/// All values of a name, with spaces between them.
std::string values_of(std::string_view printed, std::string_view name) {
  std::vector<std::string_view> values;
  for (auto line : text::split(printed, '\n')) {
    auto equals = line.find('=');
    if (equals != line.npos && line.substr(0, equals) == name) {
      values.push_back(text::trimmed(line.substr(equals + 1)));
    }
  }
  return text::one_line(fmt::format("{}", fmt::join(values, " ")));
}

/// The engine's images by all their names.
async::task<Result<std::set<std::string>>> names_of_images(engine::Client& engine) {
  auto listed = co_await engine::list_images(engine);
  if (!listed) co_return fail(listed.error());
  std::set<std::string> names;
  for (const auto& image : *listed) names.insert(image.tags.begin(), image.tags.end());
  co_return names;
}

/// Which languages could be run without a pull, and what makes the images of the others.
void tell_languages(const std::set<std::string>& there, CanaryReport& report) {
  auto aliases = default_aliases();
  for (const auto& language : shipped_languages().all()) {
    auto alias = aliases.find(language.image);
    const auto& served = alias == aliases.end() ? language.image : alias->second;
    if (there.contains(language.image) || there.contains(served)) {
      report.languages.push_back(language.name);
      continue;
    }
    const auto* recipe = find_recipe(served);
    bool new_one = recipe != nullptr &&
                   std::ranges::find(report.recipes, recipe->name) == report.recipes.end();
    if (new_one) report.recipes.emplace_back(recipe->name);
  }
}

Execution program(std::string image, std::string_view script) {
  Program what;
  what.image = std::move(image);
  what.command = {"sh", "canary.sh"};
  what.files = {{"canary.sh", std::string{script}, {}}};
  Policy policy;
  policy.wall_time = policy.cpu_time = program_max;
  policy.memory = little_memory;
  policy.pids = few_processes;
  return {ExecutionId{random::word(26)}, std::move(what), policy};
}

async::task<Result<Outcome>> run_one(DockerExecutor& sandboxes, Execution execution,
                                     std::string& printed) {
  Observer observer{.progress = [](std::string) {},
                    .serving = {},
                    .started = [](Stage) {},
                    .output =
                        [&printed](OutputStream, std::string_view bytes) {
                          printed.append(bytes.substr(0, printed_max - printed.size()));
                        }};
  auto outcome = co_await sandboxes.execute(std::move(execution), std::move(observer));
  if (outcome.verdict != Verdict::infrastructure_error) co_return outcome;
  co_return fail(ErrorKind::unavailable, outcome.error_code,
                 fmt::format("no program can be run in a sandbox: {}", outcome.message));
}

async::task<Result<>> run_both(DockerExecutor& sandboxes, CanaryReport& report) {
  std::string printed;
  auto looked = co_await run_one(sandboxes, program(report.image, looker), printed);
  if (!looked) co_return fail(looked.error());
  read_canary(printed, report);
  std::string ignored;
  auto eaten = co_await run_one(sandboxes, program(report.image, eater), ignored);
  if (!eaten) co_return fail(eaten.error());
  bool ended = eaten->verdict == Verdict::memory_exceeded;
  auto& list = ended ? report.held : report.open;
  list.push_back(ended ? "the limit of memory"
                       : fmt::format("the limit of memory ({})", word(eaten->verdict)));
  co_return ok;
}

/// Whether the volume was there before us: then it is somebody's.
async::task<bool> is_there(engine::Client& engine, std::string volume) {
  auto found = co_await engine::inspect_volume(engine, std::move(volume));
  co_return found.has_value();
}

async::task<void> remove_ours(engine::Client& engine, std::string volume) {
  co_await async::attempt(async::with_deadline(remove_max, "removing the volume",
                                               engine::remove_volume(engine, std::move(volume))));
}

async::task<void> close_and_remove(DockerExecutor& sandboxes, engine::Client& engine,
                                   std::optional<std::string> ours) {
  co_await sandboxes.close();
  if (ours) co_await remove_ours(engine, std::move(*ours));
}

async::task<Result<>> run_and_remove(async::Executor executor, engine::Client& engine,
                                     CanaryReport& report) {
  auto owner = "doctor-" + random::word(12);
  auto volume = InitVolume{executor, engine, owner}.name();
  std::optional<std::string> ours;
  if (!co_await is_there(engine, volume)) ours = std::move(volume);
  DockerExecutor sandboxes{executor, engine, {.owner = owner, .pool = {.ready_max = 0}}};
  co_return co_await async::attempt(async::finally(
      async::with_deadline(run_max, "running the programs", run_both(sandboxes, report)),
      close_and_remove(sandboxes, engine, std::move(ours))));
}

}  // namespace

void read_canary(std::string_view printed, CanaryReport& report) {
  if (values_of(printed, "looked").empty()) {
    report.open.emplace_back("it could not look around");
    return;
  }
  for (const auto& promise : promises) {
    auto seen = values_of(printed, promise.name);
    if (promise.holds(seen)) {
      report.held.emplace_back(promise.held);
    } else {
      report.open.push_back(
          fmt::format("{} ({}: {})", promise.held, promise.name, seen.empty() ? "nothing" : seen));
    }
  }
}

async::task<Result<CanaryReport>> run_canary(async::Executor executor, engine::Client& engine) {
  auto there = co_await names_of_images(engine);
  if (!there) co_return fail(there.error());
  CanaryReport report;
  tell_languages(*there, report);
  auto image =
      std::ranges::find_if(images, [&](const char* name) { return there->contains(name); });
  if (image == images.end()) {
    co_return fail(ErrorKind::not_found, "no_canary_image",
                   "the engine has no image to try the sandbox in, and none is pulled for it",
                   "make one of this machine's own packages");
  }
  report.image = *image;
  if (auto ran = co_await run_and_remove(executor, engine, report); !ran) {
    co_return fail(ran.error());
  }
  co_return report;
}

}  // namespace gantry::sandbox
