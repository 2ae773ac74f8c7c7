// What is kept up over HTTP, beside what the machine itself can do, and what good programs notice
// of hostile ones, all in one run.
//
//   bench_load ENGINE URL TOKEN_FILE RESULTS [SECONDS]
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "net/endpoint.hpp"
#include "raw_engine.hpp"
#include "report.hpp"
#include "sandbox/labels.hpp"
#include "service.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <span>

#include <boost/asio/io_context.hpp>  // a loop of its own
#include <fmt/format.h>

namespace gantry::bench {
namespace {

constexpr int usual_seconds = 60;
constexpr int docker_slices = 3;
constexpr int docker_clients = 4;
constexpr int local_clients = 8;
constexpr int good_clients = 4;
constexpr std::size_t good_runs = 200;
constexpr std::size_t hostile_each = 10;
constexpr Seconds settle_max{60};

struct Bench {
  async::Executor executor;
  RawEngine& raw;
  Server& server;
  Seconds duration;
};

using Run = std::function<async::task<void>(Bench&)>;

struct Load {
  std::vector<double> milliseconds;
  double seconds = 0;
  double rate() const { return static_cast<double>(milliseconds.size()) / seconds; }
  double at(double share) const { return Series{{}, 1, {}, milliseconds, 0}.percentile(share); }
};

double seconds_since(SteadyTime begun) {
  return std::chrono::duration<double>(steady_now() - begun).count();
}

async::task<void> client(Bench& bench, const Run& run, SteadyTime until, Load& load,
                         std::optional<Error>& failed) {
  while (steady_now() < until && !failed) {
    auto begun = steady_now();
    auto done = co_await async::attempt(run(bench));
    if (!done) failed = done.error();
    load.milliseconds.push_back(seconds_since(begun) * 1e3);
  }
}

/// So many clients, each beginning its next program when the last has ended.
async::task<Load> keep_up(Bench& bench, Run run, int clients, Seconds duration) {
  Load load;
  std::optional<Error> failed;
  auto begun = steady_now();
  async::TaskScope scope{bench.executor};
  for (int i = 0; i < clients; ++i) {
    scope.spawn("client", client(bench, run, begun + duration, load, failed));
  }
  co_await scope.join();
  if (failed) throw Failure{*failed};
  load.seconds = seconds_since(begun);
  co_return load;
}

async::task<void> bare_python(Bench&) {
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  auto ended = value_or_throw(co_await async::run_process({python_workload().command, env}, 4096));
  if (!ended.status.success()) wrong("a bare process failed");
}
async::task<void> raw_python(Bench& bench) { co_await bench.raw.run(python_workload()); }
async::task<void> docker_python(Bench& bench) {
  co_await run_on(bench.server, python_workload(), "docker");
}
async::task<void> local_python(Bench& bench) {
  co_await run_on(bench.server, python_workload(), "local");
}

async::task<std::size_t> sandboxes(Bench& bench) {
  auto listed = value_or_throw(
      co_await engine::list_containers(bench.raw.client(), engine::ListScope::all,
                                       {std::string{sandbox::labels::kind} + "=sandbox"}));
  co_return listed.size();
}

/// Until as many wait again as did before: removing and refilling belong to what was run.
async::task<void> settle(Bench& bench, std::size_t before) {
  auto until = steady_now() + settle_max;
  while (co_await sandboxes(bench) != before && steady_now() < until) {
    co_await async::pause(Milliseconds{20});
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

async::task<std::string> docker_sustained(Bench& bench) {
  auto slice = bench.duration / docker_slices;
  std::vector<double> raw;
  std::vector<double> ours;
  // Once beforehand: the pool then holds as many as it ever will.
  co_await keep_up(bench, docker_python, docker_clients, slice);
  co_await async::pause(Seconds{10});
  auto before = co_await sandboxes(bench);
  for (int i = 0; i < docker_slices; ++i) {
    raw.push_back((co_await keep_up(bench, raw_python, docker_clients, slice)).rate());
    auto begun = steady_now();
    auto load = co_await keep_up(bench, docker_python, docker_clients, slice);
    co_await settle(bench, before);
    ours.push_back(static_cast<double>(load.milliseconds.size()) / seconds_since(begun));
  }
  co_return fmt::format(
      "- docker, python, {} at once, {} slices of {} s each, until all is removed and as many "
      "wait as before: {:.2f}/s; raw calls {:.2f}/s: {:.2f} × (aim: at least 0.9)\n",
      docker_clients, docker_slices, slice.count(), median(ours), median(raw),
      median(ours) / median(raw));
}

async::task<std::string> local_sustained(Bench& bench) {
  co_await keep_up(bench, local_python, local_clients, Seconds{2});
  auto bare = co_await keep_up(bench, bare_python, local_clients, bench.duration / 6);
  auto local = co_await keep_up(bench, local_python, local_clients, bench.duration);
  co_return fmt::format(
      "- local, python, {} at once for {:.0f} s: {:.0f}/s, p50 {:.1f} ms, p99 {:.1f} ms "
      "(aim: 150/s, better 400/s); bare `python3 -c` processes in the same run: {:.0f}/s\n",
      local_clients, local.seconds, local.rate(), local.at(0.5), local.at(0.99), bare.rate());
}

struct Hostile {
  const char* source;
  json::Object limits;
  const char* verdict;
};

const std::array<Hostile, 4>& hostile_programs() {
  static const std::array<Hostile, 4> table{
      Hostile{"import os\nwhile True:\n  try: os.fork()\n  except OSError: pass\n",
              {{"wall_time_ms", 700}},
              "timed_out"},
      Hostile{"x = []\nwhile True: x.append(bytearray(1 << 20))\n",
              {{"memory_bytes", 64 << 20}, {"tmpfs_bytes", 16 << 20}},
              "memory_exceeded"},
      Hostile{"import sys\nwhile True: sys.stdout.write('x' * 65536)\n",
              {{"wall_time_ms", 700}, {"output_bytes", 65'536}, {"on_output_cap", "end"}},
              "output_exceeded"},
      Hostile{"while True: pass\n", {{"cpu_time_ms", 500}}, "cpu_exceeded"}};
  return table;
}

struct Mixed {
  const char* executor;
  std::size_t every;  ///< So many programs have one hostile among them; 0: none.
  std::size_t next = 0;
  int surprises = 0;
  std::vector<double> good;
  std::optional<Error> failed;
};

async::task<void> run_hostile(Bench& bench, Mixed& mixed, std::size_t index) {
  const auto& one = hostile_programs().at(index % hostile_programs().size());
  auto answer = co_await execute(bench.server, {{"language", "python"},
                                                {"source", one.source},
                                                {"executor", mixed.executor},
                                                {"limits", one.limits}});
  if (answer.at("verdict") != one.verdict) ++mixed.surprises;
}

async::task<void> mixed_client(Bench& bench, Mixed& mixed) {
  while (mixed.next < good_runs && !mixed.failed) {
    auto index = mixed.next++;
    if (mixed.every > 0 && index % mixed.every == 0) {
      auto done = co_await async::attempt(run_hostile(bench, mixed, index / mixed.every));
      if (!done) mixed.failed = done.error();
      continue;
    }
    auto begun = steady_now();
    auto done = co_await async::attempt(run_on(bench.server, python_workload(), mixed.executor));
    if (!done) mixed.failed = done.error();
    mixed.good.push_back(seconds_since(begun) * 1e3);
  }
}

async::task<Mixed> mix(Bench& bench, const char* executor, std::size_t every) {
  Mixed mixed{executor, every, 0, 0, {}, {}};
  async::TaskScope scope{bench.executor};
  for (int i = 0; i < good_clients; ++i) scope.spawn("client", mixed_client(bench, mixed));
  co_await scope.join();
  if (mixed.failed) throw Failure{*mixed.failed};
  co_return mixed;
}

async::task<std::string> hostility(Bench& bench, const char* executor) {
  Series alone;
  Series beside;
  int surprises = 0;
  auto add = [](Series& series, const Mixed& mixed) {
    series.milliseconds.insert(series.milliseconds.end(), mixed.good.begin(), mixed.good.end());
  };
  for (int i = 0; i < 2; ++i) {
    add(alone, co_await mix(bench, executor, 0));
    auto mixed = co_await mix(bench, executor, hostile_each);
    add(beside, mixed);
    surprises += mixed.surprises;
  }
  co_return fmt::format(
      "- {}, {} at once, one program in {} hostile: the good ones' p50 {:.1f} ms, p99 {:.1f} ms; "
      "without hostile ones {:.1f} and {:.1f} ms: p99 {:.2f} × (aim: at most 2); unexpected "
      "verdicts of hostile ones: {}\n",
      executor, good_clients, hostile_each, beside.percentile(0.5), beside.percentile(0.99),
      alone.percentile(0.5), alone.percentile(0.99),
      beside.percentile(0.99) / alone.percentile(0.99), surprises);
}

async::task<void> run_all(Bench& bench, std::filesystem::path results) {
  std::string text = "# `./dev bench load`\n\n";
  auto add = [&](std::string line) {
    fmt::print("{}", line);
    std::fflush(stdout);
    text += line;
  };
  co_await bench.raw.prepare(python_workload());
  add(co_await local_sustained(bench));
  add(co_await hostility(bench, "local"));
  add(co_await docker_sustained(bench));
  add(co_await hostility(bench, "docker"));
  std::ofstream{results / "load.md"} << text;
}

async::task<void> run_guarded(Bench& bench, std::filesystem::path results, int& status) {
  auto measured = co_await async::attempt(run_all(bench, std::move(results)));
  if (measured) co_return;
  fmt::print(stderr, "bench: {}\n", measured.error().sentence());
  status = 1;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 5) {
    fmt::print(stderr, "usage: bench_load ENGINE URL TOKEN_FILE RESULTS [SECONDS]\n");
    return 2;
  }
  boost::asio::io_context loop{1};
  auto executor = loop.get_executor();
  auto engine_at = value_or_throw(net::Endpoint::parse(arguments[1]));
  engine::Client engine{executor, net::dialer(executor, engine_at), engine_at};
  RawEngine raw{executor, engine};
  auto server = server_at(executor, arguments[2], arguments[3]);
  int seconds = usual_seconds;
  if (arguments.size() > 5) {
    std::string_view text{arguments[5]};
    std::from_chars(text.data(), text.data() + text.size(), seconds);
  }
  Bench bench{executor, raw, server, Seconds{std::max(seconds, docker_slices)}};
  int status = 0;
  async::TaskScope scope{executor};
  scope.spawn("bench", run_guarded(bench, arguments[4], status));
  loop.run();
  return status;
}

}  // namespace
}  // namespace gantry::bench

int main(int argc, char** argv) {
  return gantry::bench::run({argv, static_cast<std::size_t>(argc)});
}
