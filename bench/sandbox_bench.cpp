// What one execution costs, beside its yardsticks, interleaved in one run: a bare process,
// `docker run --rm`, the engine's own calls with the same container settings, an exec in a
// container that runs, and Gantry over HTTP, cold, warm and local. Gantry's are counted until the
// answer is there; of the others also until the container is gone.
//
//   bench_sandbox ENGINE COLD_URL COLD_TOKEN_FILE WARM_URL WARM_TOKEN_FILE RESULTS [ROUNDS]
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "base/random.hpp"
#include "engine/exec.hpp"
#include "net/endpoint.hpp"
#include "raw_engine.hpp"
#include "report.hpp"
#include "service.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <span>

#include <boost/asio/io_context.hpp>  // a loop of its own
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace gantry::bench {
namespace {

constexpr int usual_rounds = 12;
// So long after warm runs the pool is full again and leaves the others alone.
constexpr Milliseconds settling{2'500};
// Each batch begins when what the one before left behind has been removed. Warm runs come no
// closer: what they have used up is being replaced meanwhile.
constexpr Milliseconds removing{400};
constexpr Milliseconds refilling{150};

const std::array<const Workload*, 2>& workloads() {
  static const std::array<const Workload*, 2> table{&python_workload(), &shell_workload()};
  return table;
}

struct Bench {
  async::Executor executor;
  RawEngine& raw;
  std::string engine_url;
  Server& cold;
  Server& warm;
  std::map<std::string, std::string> running;  ///< By image: a container to exec in.
};

/// Whether a run counts for its contender.
enum class Counts { yes, no };
using Run = std::function<async::task<Counts>(Bench&, const Workload&)>;

async::task<void> process(std::vector<std::string> argv, std::string expected) {
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  auto outcome = value_or_throw(co_await async::run_process({std::move(argv), env}, 4096));
  if (!outcome.status.success() || outcome.output != expected) {
    wrong("unexpected output: " + outcome.output);
  }
}

async::task<Counts> bare(Bench&, const Workload& work) {
  co_await process(work.command, work.output);
  co_return Counts::yes;
}

async::task<Counts> docker_run(Bench& bench, const Workload& work) {
  std::vector<std::string> argv{"docker", "-H",        bench.engine_url, "run",
                                "--rm",   "--network", "none",           work.image};
  argv.insert(argv.end(), work.command.begin(), work.command.end());
  co_await process(std::move(argv), work.output);
  co_return Counts::yes;
}

async::task<Counts> raw_calls(Bench& bench, const Workload& work) {
  co_await bench.raw.run(work);
  co_return Counts::yes;
}

async::task<Counts> exec(Bench& bench, const Workload& work) {
  auto id = value_or_throw(co_await engine::create_exec(
      bench.raw.client(), bench.running.at(work.image), {.command = work.command}));
  auto stream = value_or_throw(
      co_await engine::start_exec(bench.raw.client(), id, engine::Framing::multiplexed));
  std::string output;
  while (auto frame = co_await stream.read()) output += frame->bytes;
  auto state = value_or_throw(co_await engine::inspect_exec(bench.raw.client(), id));
  if (state.exit_code != 0 || output != work.output) wrong("an exec failed: " + output);
  co_return Counts::yes;
}

async::task<Counts> gantry_cold(Bench& bench, const Workload& work) {
  bool warm = co_await run_on(bench.cold, work, "docker");
  co_return warm ? Counts::no : Counts::yes;
}
async::task<Counts> gantry_warm(Bench& bench, const Workload& work) {
  bool warm = co_await run_on(bench.warm, work, "docker");
  co_return warm ? Counts::yes : Counts::no;
}
async::task<Counts> gantry_local(Bench& bench, const Workload& work) {
  co_await run_on(bench.warm, work, "local");
  co_return Counts::yes;
}

struct Contender {
  const char* name;
  Run run;
  int repeats = 1;                       ///< One after the other in each round, at concurrency 1.
  Milliseconds pause = Milliseconds{0};  ///< Between these.
};

const std::vector<Contender>& contenders() {
  static const std::vector<Contender> table{
      {"bare process", bare, 3},
      {"docker run --rm", docker_run},
      {"engine API, fresh container", raw_calls},
      {"engine API, exec", exec},
      {"gantry docker, cold", gantry_cold},
      {"gantry docker, warm (hits)", gantry_warm, 5, refilling},
      {"gantry local", gantry_local, 3}};
  return table;
}

async::task<void> timed(Bench& bench, const Workload& work, const Contender& contender,
                        Series& series) {
  auto begin = steady_now();
  auto counts = co_await contender.run(bench, work);
  std::chrono::duration<double, std::milli> took = steady_now() - begin;
  if (counts == Counts::yes)
    series.milliseconds.push_back(took.count());
  else
    ++series.others;
}

async::task<void> guarded(async::task<void> work, std::optional<Error>& failed) {
  auto done = co_await async::attempt(std::move(work));
  if (!done) failed = done.error();
}

async::task<void> batch(Bench& bench, const Workload& work, const Contender& contender,
                        Series& series) {
  std::optional<Error> failed;
  async::TaskScope scope{bench.executor};
  for (int i = 0; i < series.concurrency; ++i) {
    scope.spawn("run", guarded(timed(bench, work, contender, series), failed));
  }
  co_await scope.join();
  if (failed) throw Failure{*failed};
}

/// All contenders, one after the other, `rounds` times; the first round is not counted.
async::task<void> measure(Bench& bench, const Workload& work, int concurrency, int rounds,
                          std::vector<Series>& all) {
  std::vector<Series> series;
  for (const auto& contender : contenders()) {
    series.push_back({work.name, concurrency, contender.name, {}, 0});
  }
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      int repeats = concurrency == 1 ? contenders()[i].repeats : 1;
      co_await async::pause(removing);
      for (int n = 0; n < repeats; ++n) {
        if (n > 0) co_await async::pause(contenders()[i].pause);
        co_await batch(bench, work, contenders()[i], series[i]);
      }
      if (round >= 0) continue;
      series[i].milliseconds.clear();
      series[i].others = 0;
    }
    co_await async::pause(settling);
  }
  all.insert(all.end(), series.begin(), series.end());
  fmt::print(stderr, "{}, {} at once: done\n", work.name, concurrency);
}

double fsync_ms(const std::filesystem::path& folder) {
  Series series;
  auto path = folder / ".fsync-probe";
  int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  for (int i = 0; i < 50 && file >= 0; ++i) {
    auto begin = steady_now();
    if (::pwrite(file, page.data(), page.size(), 0) < 0 || ::fdatasync(file) != 0) break;
    std::chrono::duration<double, std::milli> took = steady_now() - begin;
    series.milliseconds.push_back(took.count());
  }
  if (file >= 0) ::close(file);
  std::filesystem::remove(path);
  return series.percentile(0.5);
}

const Series& find(const std::vector<Series>& all, std::string_view program, int concurrency,
                   std::string_view contender) {
  auto found = std::ranges::find_if(all, [&](const Series& one) {
    return one.program.starts_with(program) && one.concurrency == concurrency &&
           one.contender.starts_with(contender);
  });
  if (found == all.end()) wrong("a series is missing");
  return *found;
}

std::string summary_of(const std::vector<Series>& all, double fsync) {
  const auto& warm = find(all, "python", 1, "gantry docker, warm");
  auto hits = static_cast<double>(warm.milliseconds.size());
  auto p50 = warm.percentile(0.5);
  return fmt::format(
      "- warm python, p50 of hits: {:.2f} ms; hit ratio {:.3f}, {} misses\n"
      "- of a bare `python3 -c`: {:.2f} × (aim: at most 0.4)\n"
      "- faster than `docker run --rm`: {:.0f} × (aim: at least 40)\n"
      "- one fsync, p50: {:.2f} ms; warm over it: {:.2f} ms (aim: under 2)\n"
      "- cold beside the engine's own calls: {:.2f} ×\n",
      p50, hits / (hits + warm.others), warm.others,
      p50 / find(all, "python", 1, "bare").percentile(0.5),
      find(all, "python", 1, "docker run").percentile(0.5) / p50, fsync, p50 - fsync,
      find(all, "python", 1, "gantry docker, cold").percentile(0.5) /
          find(all, "python", 1, "engine API, fresh").percentile(0.5));
}

async::task<void> prepare(Bench& bench) {
  for (const auto* work : workloads()) {
    co_await bench.raw.prepare(*work);
    auto spec = bench.raw.spec_of(*work, bench.raw.slots().take().value());
    spec.entrypoint = std::vector<std::string>{"/bin/sh", "-c", "read forever"};
    spec.open_stdin = true;
    if (work->language == "python") {
      spec.entrypoint = std::vector<std::string>{"/usr/bin/python3", "-c", "input()"};
    }
    auto created = value_or_throw(co_await engine::create_container(
        bench.raw.client(), "gantry-bench-" + random::word(8), spec));
    bench.running[work->image] = created.id;
    value_or_throw(co_await engine::start_container(bench.raw.client(), created.id));
  }
}

async::task<void> clean_up(Bench& bench) {
  for (const auto& [image, id] : bench.running) {
    co_await async::attempt(
        engine::remove_container(bench.raw.client(), id, {.force = true, .volumes = true}));
  }
}

async::task<void> run_all(Bench& bench, std::filesystem::path results, int rounds) {
  std::vector<Series> all;
  co_await prepare(bench);
  for (const auto* work : workloads()) {
    for (int concurrency : {1, 4, 8}) {
      co_await measure(bench, *work, concurrency, concurrency == 1 ? rounds : (rounds + 3) / 4,
                       all);
    }
  }
  auto text = "# `./dev bench sandbox`\n\nMilliseconds until the answer is there.\n\n" +
              table_of(all) + "\n" + summary_of(all, fsync_ms(results));
  fmt::print("{}", text);
  std::ofstream{results / "sandbox.md"} << text;
  std::ofstream{results / "sandbox.svg"} << plot_of(all);
}

async::task<void> run_and_clean(Bench& bench, std::filesystem::path results, int rounds,
                                int& status) {
  auto measured = co_await async::attempt(run_all(bench, std::move(results), rounds));
  co_await clean_up(bench);
  if (measured) co_return;
  fmt::print(stderr, "bench: {}\n", measured.error().sentence());
  status = 1;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 7) {
    fmt::print(stderr,
               "usage: bench_sandbox ENGINE COLD_URL COLD_TOKEN_FILE WARM_URL WARM_TOKEN_FILE "
               "RESULTS [ROUNDS]\n");
    return 2;
  }
  boost::asio::io_context loop{1};
  auto executor = loop.get_executor();
  auto engine_at = value_or_throw(net::Endpoint::parse(arguments[1]));
  engine::Client engine{executor, net::dialer(executor, engine_at), engine_at};
  auto cold = server_at(executor, arguments[2], arguments[3]);
  auto warm = server_at(executor, arguments[4], arguments[5]);
  RawEngine raw{executor, engine};
  Bench bench{executor, raw, arguments[1], cold, warm, {}};
  int rounds = usual_rounds;
  if (arguments.size() > 7) {
    std::string_view text{arguments[7]};
    std::from_chars(text.data(), text.data() + text.size(), rounds);
  }
  int status = 0;
  async::TaskScope scope{executor};
  scope.spawn("bench", run_and_clean(bench, arguments[6], std::max(rounds, 1), status));
  loop.run();
  return status;
}

}  // namespace
}  // namespace gantry::bench

int main(int argc, char** argv) {
  return gantry::bench::run({argv, static_cast<std::size_t>(argc)});
}
