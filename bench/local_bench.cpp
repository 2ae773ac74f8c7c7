// How many programs the local executor runs per second by itself, without the server around it:
//   ./dev bench local [python|sh] [concurrency] [seconds]
#include "async/scope.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "sandbox/local_executor.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>  // a loop of its own
#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Load {
  std::string language;
  int concurrency = 8;
  std::chrono::seconds duration{10};
};

struct Results {
  std::vector<double> ms;
  int warm = 0;
  int wrong = 0;
  std::string complaint;
};

Program program_of(const Load& load) {
  const auto* language = shipped_languages().find(load.language);
  bool python = load.language == "python";
  return {.language = load.language,
          .image = language->image,
          .command = python ? std::vector<std::string>{"python3", "-u", "main.py"}
                            : std::vector<std::string>{"sh", "main.sh"},
          .files = {{python ? "main.py" : "main.sh", python ? "print(1)" : "true", {}}},
          .entry = python ? "main.py" : "main.sh"};
}

async::task<void> worker(LocalExecutor& local, const Load& load, SteadyClock::time_point until,
                         Results& results) {
  while (SteadyClock::now() < until) {
    auto begun = SteadyClock::now();
    Observer nobody{.progress = [](std::string) {},
                    .serving = {},
                    .started = [](Stage) {},
                    .output = [](OutputStream, std::string_view) {}};
    auto outcome = co_await local.execute(
        {.id = ExecutionId{random::word(20)}, .program = program_of(load), .policy = {}}, nobody);
    std::chrono::duration<double, std::milli> took = SteadyClock::now() - begun;
    results.ms.push_back(took.count());
    if (outcome.warm) ++results.warm;
    if (outcome.verdict == Verdict::ok) continue;
    ++results.wrong;
    results.complaint = outcome.message;
  }
}

async::task<void> measure_rate(async::Executor executor, Load load) {
  LocalExecutor local{executor, {.owner = "bench-" + random::word(8), .trust = Trust::everyone}};
  auto usable = co_await local.probe();
  fmt::print("control groups: {}; {}\n", local.capabilities().words(),
             usable ? "usable" : usable.error().sentence());
  async::TaskScope keeper{executor};
  keeper.spawn("keeper", local.maintain());
  Results results;
  auto begun = SteadyClock::now();
  async::TaskScope workers{executor};
  for (int i = 0; i < load.concurrency; ++i) {
    workers.spawn("worker", worker(local, load, begun + load.duration, results));
  }
  co_await workers.join();
  std::chrono::duration<double> took = SteadyClock::now() - begun;
  std::ranges::sort(results.ms);
  auto at = [&](double share) {
    return results.ms.at(static_cast<std::size_t>(share * double(results.ms.size() - 1)));
  };
  fmt::print(
      "{} c={}: {:.0f}/s over {:.1f} s, p50 {:.1f} ms, p99 {:.1f} ms, {} runs, {} warm, "
      "{} wrong {}\n",
      load.language, load.concurrency, double(results.ms.size()) / took.count(), took.count(),
      at(0.5), at(0.99), results.ms.size(), results.warm, results.wrong, results.complaint);
  co_await keeper.close();
  co_await local.close();
}

}  // namespace
}  // namespace gantry::sandbox

int main(int argc, char** argv) {
  using namespace gantry;
  log::start(log::Level::warn, log::Style::text);
  sandbox::Load load{.language = argc > 1 ? argv[1] : "python"};
  if (argc > 2) load.concurrency = std::atoi(argv[2]);
  if (argc > 3) load.duration = std::chrono::seconds{std::atoi(argv[3])};
  boost::asio::io_context loop{1};
  async::TaskScope root{loop.get_executor()};
  root.spawn("measure", sandbox::measure_rate(loop.get_executor(), load));
  loop.run();
  log::stop();
}
