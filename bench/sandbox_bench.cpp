// What one execution costs, beside its yardsticks, interleaved in one run: a bare process, the
// engine's own calls with the same container settings, `docker run --rm`, and Gantry over HTTP.
// Everything is counted up to and including the container's removal.
//
//   bench_sandbox ENGINE SERVER_URL TOKEN_FILE [ROUNDS]
#include "async/attempt.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "engine/containers.hpp"
#include "net/endpoint.hpp"
#include "net/http_client.hpp"
#include "sandbox/hardening.hpp"
#include "sandbox/images.hpp"
#include "sandbox/init_volume.hpp"
#include "sandbox/slots.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace gantry::bench {
namespace {

constexpr const char* image = "gantry/python:latest";
constexpr const char* program = "print(1)";

struct Bench {
  async::Executor executor;
  engine::Client& engine;
  net::http::Client& server;
  std::string engine_url;
  std::string token;
  sandbox::ServedImage served;
  std::string volume;
  sandbox::Slots slots;
};

async::task<void> process(std::vector<std::string> argv) {
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  auto outcome = value_or_throw(co_await async::run_process({std::move(argv), env}, 4096));
  if (!outcome.status.success() || outcome.output != "1\n") {
    throw Failure{{ErrorKind::internal, "bench", "unexpected output: " + outcome.output, {}}};
  }
}

async::task<void> bare(Bench&) { co_await process({"/usr/bin/python3", "-c", program}); }

async::task<void> docker_run(Bench& bench) {
  co_await process({"docker", "-H", bench.engine_url, "run", "--rm", "--network", "none", image,
                    "python3", "-c", program});
}

// The identical create body; only what it starts differs, because gantry-init would wait for us.
async::task<void> raw_calls(Bench& bench) {
  sandbox::Execution execution{sandbox::ExecutionId{random::word(26)}, {}, {}};
  auto user = bench.slots.take().value();
  auto spec = sandbox::hardened_container(
      execution, bench.served,
      {.owner = "bench", .user_id = user, .init_volume = bench.volume, .deadline = {}});
  spec.entrypoint = std::vector<std::string>{"/usr/bin/python3", "-c", program};
  spec.open_stdin = spec.stdin_once = spec.attach_stdin = false;
  auto created = value_or_throw(
      co_await engine::create_container(bench.engine, "gantry-bench-" + random::word(8), spec));
  value_or_throw(co_await engine::start_container(bench.engine, created.id));
  auto ended = value_or_throw(co_await engine::wait_container(bench.engine, created.id,
                                                              engine::WaitCondition::not_running));
  value_or_throw(co_await engine::remove_container(bench.engine, created.id, {.volumes = true}));
  if (ended.code != 0) throw Failure{{ErrorKind::internal, "bench", "raw run failed", {}}};
}

async::task<void> gantry(Bench& bench) {
  net::http::RequestHead head{.method = "POST",
                              .target = "/api/v1/executions?wait=true",
                              .headers = {{"Authorization", "Bearer " + bench.token},
                                          {"Content-Type", "application/json"}}};
  json::Object body{{"language", "python"}, {"image", image}, {"source", program}};
  auto response = co_await bench.server.send(std::move(head), json::serialize(body));
  auto answer = value_or_throw(json::parse(response.body, json::Keys::tolerant));
  const auto* verdict = answer.as_object().if_contains("verdict");
  const auto* output = answer.as_object().if_contains("stdout");
  if (verdict == nullptr || *verdict != "ok" || output == nullptr || *output != "1\n") {
    throw Failure{{ErrorKind::internal, "bench", "execution failed: " + response.body, {}}};
  }
}

struct Contender {
  std::string name;
  std::function<async::task<void>(Bench&)> run;
  std::vector<double> milliseconds;

  double percentile(double share) const {
    auto sorted = milliseconds;
    std::ranges::sort(sorted);
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
  }
};

void print(const std::vector<Contender>& contenders) {
  fmt::print("{:<34}{:>9}{:>9}{:>9}{:>9}\n", "python print(1), milliseconds", "min", "p50", "p90",
             "n");
  for (const auto& contender : contenders) {
    fmt::print("{:<34}{:>9.1f}{:>9.1f}{:>9.1f}{:>9}\n", contender.name, contender.percentile(0),
               contender.percentile(0.5), contender.percentile(0.9), contender.milliseconds.size());
  }
  auto ratio = contenders[3].percentile(0.5) / contenders[1].percentile(0.5);
  fmt::print("gantry / raw engine calls, p50: {:.3f}\n", ratio);
}

async::task<void> measure(Bench& bench, int rounds) {
  sandbox::Images images{bench.executor, bench.engine, sandbox::default_aliases()};
  bench.served = value_or_throw(co_await images.resolve(image, [](std::string) {}));
  sandbox::InitVolume volume{bench.executor, bench.engine, "bench"};
  bench.volume = value_or_throw(co_await volume.ensure(bench.served.id));
  std::vector<Contender> contenders{{"bare python3 -c", bare, {}},
                                    {"raw engine calls", raw_calls, {}},
                                    {"docker run --rm", docker_run, {}},
                                    {"gantry, over HTTP, cold", gantry, {}}};
  for (int round = -2; round < rounds; ++round) {
    for (auto& contender : contenders) {
      auto begin = steady_now();
      co_await contender.run(bench);
      std::chrono::duration<double, std::milli> took = steady_now() - begin;
      if (round >= 0) contender.milliseconds.push_back(took.count());
    }
  }
  co_await images.close();
  print(contenders);
}

async::task<void> guarded(Bench& bench, int rounds, int& status) {
  auto measured = co_await async::attempt(measure(bench, rounds));
  if (measured) co_return;
  fmt::print(stderr, "bench: {}\n", measured.error().sentence());
  status = 1;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 4) {
    fmt::print(stderr, "usage: bench_sandbox ENGINE SERVER_URL TOKEN_FILE [ROUNDS]\n");
    return 2;
  }
  boost::asio::io_context loop{1};
  auto executor = loop.get_executor();
  auto engine_at = value_or_throw(net::Endpoint::parse(arguments[1]));
  auto server_at = value_or_throw(
      net::Endpoint::parse("tcp" + std::string{arguments[2]}.substr(std::string{"http"}.size())));
  engine::Client engine{executor, net::dialer(executor, engine_at), engine_at};
  net::http::Client server{executor, net::dialer(executor, server_at), server_at.host_header()};
  std::string token;
  std::getline(std::ifstream{arguments[3]}, token);
  Bench bench{executor, engine, server, arguments[1], token, {}, {}, {}};
  int status = 0;
  async::TaskScope scope{executor};
  scope.spawn("bench", guarded(bench, arguments.size() > 4 ? std::atoi(arguments[4]) : 30, status));
  loop.run();
  return status;
}

}  // namespace
}  // namespace gantry::bench

int main(int argc, char** argv) {
  return gantry::bench::run({argv, static_cast<std::size_t>(argc)});
}
