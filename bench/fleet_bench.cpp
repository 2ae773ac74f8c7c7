// A hundred machines over HTTP, beside what the engine and its own client do, all in one run.
//
//   bench_fleet ENGINE URL TOKEN_FILE SERVER_PID RESULTS PORT...
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "engine/containers.hpp"
#include "net/endpoint.hpp"
#include "raw_engine.hpp"
#include "report.hpp"
#include "service.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <span>

#include <boost/asio/io_context.hpp>  // a loop of its own
#include <fmt/format.h>

namespace gantry::bench {
namespace {

constexpr int list_rounds = 500;
constexpr int action_rounds = 40;
constexpr int docker_rounds = 20;
constexpr std::size_t log_bytes = 64U << 20U;
constexpr int followers = 200;
constexpr int followed_lines = 3'000;
/// `2026-11-22T13:35:33.876543210Z ` before each line.
constexpr std::size_t log_time_bytes = 31;
constexpr Seconds connected_max{120};

struct Bench {
  async::Executor executor;
  RawEngine& raw;
  Server& server;
  std::string server_pid;
  std::vector<std::string> ports;
  std::string engine;
};

double milliseconds_since(SteadyTime begun) {
  return std::chrono::duration<double, std::milli>(steady_now() - begun).count();
}

async::task<json::Value> ask(Server& server, std::string method, std::string target,
                             std::string body = {}) {
  net::http::RequestHead head{.method = std::move(method),
                              .target = std::move(target),
                              .headers = {{"Authorization", "Bearer " + server.token}}};
  if (!body.empty()) head.headers.set("Content-Type", "application/json");
  auto what = head.method + " " + head.target;
  auto response = co_await server.client.send(std::move(head), std::move(body));
  if (response.head.status < 200 || response.head.status > 299) {
    wrong(fmt::format("{}: {} {}", what, response.head.status, response.body));
  }
  if (response.body.empty()) co_return json::Value{};
  co_return value_or_throw(
      json::parse(response.body, json::Keys::tolerant, {.bytes_max = 128U << 20U}));
}

/// How long each of so many requests takes, with the whole body read but not taken apart.
async::task<Series> timed(Server& server, std::string name, std::string target, int rounds) {
  Series series{std::move(name), 1, "gantry", {}, 0};
  for (int i = 0; i < rounds; ++i) {
    net::http::RequestHead head{.method = "GET",
                                .target = target,
                                .headers = {{"Authorization", "Bearer " + server.token}}};
    auto begun = steady_now();
    auto response = co_await server.client.send(std::move(head), {});
    series.milliseconds.push_back(milliseconds_since(begun));
    if (response.head.status != 200) wrong(target + ": " + response.body);
  }
  co_return series;
}

std::string line_of(std::string_view what, const Series& series, std::string_view more) {
  return fmt::format("- {}: p50 {:.2f} ms, p99 {:.2f} ms{}\n", what, series.percentile(0.5),
                     series.percentile(0.99), more);
}

async::task<void> add_hosts(Bench& bench) {
  for (std::size_t i = 0; i < bench.ports.size(); ++i) {
    auto body = json::Object{{"name", fmt::format("h{:03}", i)},
                             {"endpoint", "tcp://127.0.0.1:" + bench.ports[i]},
                             {"groups", json::Array{fmt::format("rack{}", i % 10)}}};
    co_await ask(bench.server, "POST", "/api/v1/hosts", json::serialize(body));
  }
}

/// Until every host's containers are there.
async::task<void> until_listed(Bench& bench) {
  while (true) {
    auto hosts = co_await ask(bench.server, "GET", "/api/v1/hosts");
    const auto& items = hosts.as_object().at("items").as_array();
    bool all = std::ranges::all_of(items, [](const json::Value& host) {
      return host.as_object().at("state") == "connected" && host.as_object().at("stale") == false;
    });
    if (all && items.size() > bench.ports.size()) co_return;
    co_await async::pause(Milliseconds{100});
  }
}

std::string memory_of(const std::string& pid) {
  std::ifstream status{"/proc/" + pid + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return line.substr(6);
  }
  return " unknown";
}

async::task<std::string> lists(Bench& bench) {
  std::string text;
  auto first = co_await timed(bench.server, "first page", "/api/v1/containers", list_rounds);
  auto filtered = co_await timed(
      bench.server, "search", "/api/v1/containers?q=shop-17&state=running&sort=name", list_rounds);
  auto grouped = co_await timed(bench.server, "group", "/api/v1/containers?group=rack3&limit=1000",
                                list_rounds);
  auto listed = co_await ask(bench.server, "GET", "/api/v1/containers?limit=1");
  text += fmt::format("- hosts {}, containers {}; memory of the server{}\n", bench.ports.size() + 1,
                      json::serialize(listed.as_object().at("total")), memory_of(bench.server_pid));
  text += line_of("first page of all containers", first, " (aim: p99 under 10 ms)");
  text += line_of("filtered search", filtered, " (aim: p99 under 20 ms)");
  text += line_of("all containers of one group, 1,000 a page", grouped, "");
  co_return text;
}

/// What requests about the others notice of one host with 10,000 events a second.
async::task<std::string> storm(Bench& bench) {
  constexpr const char* target = "/api/v1/containers?host=h001";
  auto calm = co_await timed(bench.server, "calm", target, list_rounds);
  auto at = value_or_throw(net::Endpoint::parse("tcp://127.0.0.1:" + bench.ports.front()));
  Server engine{{bench.executor, net::dialer(bench.executor, at), at.host_header()}, "none"};
  co_await ask(engine, "POST", "/bench/storm?rate=10000&seconds=20");
  co_await async::pause(Seconds{2});
  auto stormy = co_await timed(bench.server, "storm", target, list_rounds);
  co_await ask(engine, "POST", "/bench/storm?rate=0&seconds=0");
  co_return fmt::format(
      "{}{}- p99 of requests about another host while one emits 10,000 events/s: {:.2f} × (aim: at "
      "most 2)\n",
      line_of("another host, calm", calm, ""), line_of("another host, storm", stormy, ""),
      stormy.percentile(0.99) / calm.percentile(0.99));
}

std::vector<std::string> docker_words(const Bench& bench, std::vector<std::string> words) {
  words.insert(words.begin(), {"docker", "-H", bench.engine});
  return words;
}

async::task<async::ProcessOutcome> docker(Bench& bench, std::vector<std::string> words) {
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  co_return value_or_throw(
      co_await async::run_process({docker_words(bench, std::move(words)), env}, 1U << 16U));
}

async::task<std::string> beside_docker_ps(Bench& bench) {
  Series theirs{"ps", 1, "docker ps", {}, 0};
  for (int i = 0; i < docker_rounds; ++i) {
    auto begun = steady_now();
    auto ended = co_await docker(bench, {"ps", "-a"});
    theirs.milliseconds.push_back(milliseconds_since(begun));
    if (!ended.status.success()) wrong("docker ps: " + ended.output);
  }
  auto ours = co_await timed(bench.server, "ps", "/api/v1/containers?host=local", list_rounds);
  co_return fmt::format("{}{}- a list of this machine: {:.0f} × faster (aim: at least 10)\n",
                        line_of("`docker ps -a`", theirs, ""),
                        line_of("the same over HTTP", ours, ""),
                        theirs.percentile(0.5) / ours.percentile(0.5));
}

/// A container of ours on the real engine; removed at the end of the process's life by `remove`.
async::task<std::string> sleeper(Bench& bench, std::vector<std::string> command) {
  engine::ContainerSpec spec;
  spec.image = "gantry/sh:latest";
  spec.entrypoint = std::move(command);
  spec.labels = {{"io.gantry.test", "bench"}};
  auto made = value_or_throw(co_await engine::create_container(bench.raw.client(), "", spec));
  value_or_throw(co_await engine::start_container(bench.raw.client(), made.id));
  co_return made.id;
}

async::task<void> remove(Bench& bench, std::string id) {
  value_or_throw(co_await engine::remove_container(bench.raw.client(), std::move(id),
                                                   {.force = true, .volumes = true}));
}

/// Pauses and unpauses in turn, by the engine's own calls and by ours.
async::task<std::string> actions(Bench& bench) {
  auto id = co_await sleeper(bench, {"/bin/sh", "-c", "sleep 600"});
  Series raw{"pause", 1, "engine", {}, 0};
  Series ours{"pause", 1, "gantry", {}, 0};
  auto path = fmt::format("/api/v1/hosts/local/containers/{}/", id);
  while (true) {
    auto found = co_await async::attempt(
        ask(bench.server, "GET", fmt::format("/api/v1/hosts/local/containers/{}", id)));
    if (found) break;
    co_await async::pause(Milliseconds{100});
  }
  for (int i = 0; i < action_rounds; ++i) {
    auto begun = steady_now();
    value_or_throw(co_await engine::pause_container(bench.raw.client(), id));
    value_or_throw(co_await engine::unpause_container(bench.raw.client(), id));
    raw.milliseconds.push_back(milliseconds_since(begun) / 2);
    begun = steady_now();
    co_await ask(bench.server, "POST", path + "pause", "{}");
    co_await ask(bench.server, "POST", path + "unpause", "{}");
    ours.milliseconds.push_back(milliseconds_since(begun) / 2);
  }
  co_await remove(bench, id);
  co_return fmt::format(
      "{}{}- an action adds {:.2f} ms to the engine's own call, at p50 (aim: under 2 ms)\n",
      line_of("pause or unpause, the engine's own call", raw, ""),
      line_of("the same over HTTP, audited", ours, ""), ours.percentile(0.5) - raw.percentile(0.5));
}

/// Bytes a second of a log of so many bytes, as a program reads it that follows to the end.
async::task<double> our_log_rate(Bench& bench, std::string id) {
  net::http::RequestHead head{
      .method = "GET",
      .target = fmt::format("/api/v1/hosts/local/containers/{}/logs?follow=true&tail=all", id),
      .headers = {{"Authorization", "Bearer " + bench.server.token}, {"Accept", "text/plain"}}};
  auto begun = steady_now();
  auto stream = co_await bench.server.client.stream(std::move(head));
  std::size_t bytes = 0;
  while (bytes < log_bytes) {
    auto piece = co_await stream.read(Milliseconds{20'000});
    if (piece.empty()) break;
    bytes += piece.size();
  }
  if (bytes < log_bytes) wrong(fmt::format("the log ended after {} bytes", bytes));
  co_return static_cast<double>(bytes) / milliseconds_since(begun) * 1e-3;
}

async::task<double> their_log_rate(Bench& bench, std::string id) {
  std::vector<std::string> env{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root"};
  auto begun = steady_now();
  auto started =
      async::Process::start(bench.executor, {docker_words(bench, {"logs", "-f", id}), env});
  auto process = value_or_throw(std::move(started));
  std::vector<char> buffer(1U << 18U);
  std::size_t bytes = 0;
  while (bytes < log_bytes) {
    auto got = co_await process.read_some(buffer);
    if (got == 0) break;
    bytes += got;
  }
  auto rate = static_cast<double>(bytes) / milliseconds_since(begun) * 1e-3;
  if (bytes < log_bytes) wrong(fmt::format("docker's log ended after {} bytes", bytes));
  co_return rate;
}

/// The engine's own stream, with the times by which we order entries, read and thrown away.
async::task<double> raw_log_rate(Bench& bench, std::string id) {
  auto begun = steady_now();
  auto output = value_or_throw(co_await engine::container_logs(
      bench.raw.client(), std::move(id), engine::Framing::multiplexed,
      {.follow = engine::Follow::yes, .timestamps = true}));
  std::size_t lines = 0;
  std::size_t bytes = 0;
  while (bytes - lines * log_time_bytes < log_bytes && co_await output.more(Milliseconds{20'000})) {
    while (auto view = output.take()) {
      bytes += view->bytes.size();
      lines += static_cast<std::size_t>(std::ranges::count(view->bytes, '\n'));
    }
  }
  co_return static_cast<double>(log_bytes) / milliseconds_since(begun) * 1e-3;
}

async::task<std::string> logs(Bench& bench) {
  auto id = co_await sleeper(
      bench, {"/bin/sh", "-c",
              "yes 'a line of an ordinary log, as programs write them by the million' | head -c "
              "70000000; sleep 600"});
  co_await async::pause(Seconds{10});
  std::vector<double> raw;
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int i = 0; i < 5; ++i) {
    raw.push_back(co_await raw_log_rate(bench, id));
    theirs.push_back(co_await their_log_rate(bench, id));
    ours.push_back(co_await our_log_rate(bench, id));
  }
  co_await remove(bench, id);
  std::ranges::sort(raw);
  std::ranges::sort(ours);
  std::ranges::sort(theirs);
  co_return fmt::format(
      "- following a log of {} MiB: {:.1f} MB/s, `docker logs -f` {:.1f} MB/s: {:.2f} × (needed: "
      "1, aim: 2); the engine's own stream, read raw: {:.1f} MB/s\n",
      log_bytes >> 20U, ours[2], theirs[2], ours[2] / theirs[2], raw[2]);
}

/// Follows the busy container until so many lines have come; throws when one is missing.
async::task<void> follow_busy(Bench& bench, std::string target) {
  net::http::RequestHead head{
      .method = "GET",
      .target = std::move(target),
      .headers = {{"Authorization", "Bearer " + bench.server.token}, {"Accept", "text/plain"}}};
  auto stream = co_await bench.server.client.stream(std::move(head));
  std::string text;
  std::optional<std::uint64_t> expected;
  for (int lines = 0; lines < followed_lines;) {
    auto piece = co_await stream.read(Milliseconds{20'000});
    if (piece.empty()) wrong("the busy log ended");
    text += piece;
    std::size_t at = 0;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', at)) {
      auto number = std::stoull(text.substr(at + std::string_view{"line "}.size()));
      if (expected && number != *expected) {
        wrong(fmt::format("line {} came where {} was due", number, *expected));
      }
      expected = number + 1;
      ++lines;
      at = end + 1;
    }
    text.erase(0, at);
  }
}

async::task<std::string> many_followers(Bench& bench) {
  auto at = value_or_throw(net::Endpoint::parse("tcp://127.0.0.1:" + bench.ports[1]));
  Server engine{{bench.executor, net::dialer(bench.executor, at), at.host_header()}, "none"};
  auto list =
      co_await ask(bench.server, "GET", "/api/v1/containers?host=h001&state=running&limit=1");
  const auto& busy = list.as_object().at("items").as_array().at(0).as_object();
  auto target = fmt::format("/api/v1/hosts/h001/containers/{}/logs?follow=true&tail=0",
                            std::string_view{busy.at("id").as_string()});
  auto begun = steady_now();
  async::TaskScope scope{bench.executor};
  int done = 0;
  std::optional<Error> failure;
  auto one = [](Bench& its, std::string of, int& ended,
                std::optional<Error>& broken) -> async::task<void> {
    auto followed = co_await async::attempt(follow_busy(its, std::move(of)));
    if (!followed) broken = followed.error();
    ++ended;
  };
  for (int i = 0; i < followers; ++i) scope.spawn("follower", one(bench, target, done, failure));
  while (done < followers) co_await async::pause(Milliseconds{20});
  if (failure) throw Failure{*failure};
  auto streams = co_await ask(engine, "GET", "/bench/log-streams");
  co_return fmt::format(
      "- {} followers of one container that writes 1,000 lines/s: each read {} lines without a "
      "gap in {:.1f} s; streams opened at the engine: {} (needed: 1)\n",
      followers, followed_lines, milliseconds_since(begun) / 1000, json::serialize(streams));
}

async::task<void> run_all(Bench& bench, std::filesystem::path results) {
  std::string text = "# `./dev bench fleet`\n\n";
  auto add = [&](std::string line) {
    fmt::print("{}", line);
    std::fflush(stdout);
    text += line;
  };
  co_await add_hosts(bench);
  co_await async::with_deadline(connected_max, "reaching all hosts", until_listed(bench));
  add(co_await lists(bench));
  add(co_await storm(bench));
  add(co_await beside_docker_ps(bench));
  add(co_await actions(bench));
  add(co_await logs(bench));
  add(co_await many_followers(bench));
  std::ofstream{results / "fleet.md"} << text;
}

async::task<void> run_guarded(Bench& bench, std::filesystem::path results, int& status) {
  auto measured = co_await async::attempt(run_all(bench, std::move(results)));
  if (measured) co_return;
  fmt::print(stderr, "bench: {}\n", measured.error().sentence());
  status = 1;
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 7) {
    fmt::print(stderr, "usage: bench_fleet ENGINE URL TOKEN_FILE SERVER_PID RESULTS PORT...\n");
    return 2;
  }
  boost::asio::io_context loop{1};
  auto executor = loop.get_executor();
  auto engine_at = value_or_throw(net::Endpoint::parse(arguments[1]));
  engine::Client engine{executor, net::dialer(executor, engine_at), engine_at};
  RawEngine raw{executor, engine};
  auto server = server_at(executor, arguments[2], arguments[3]);
  Bench bench{executor,    raw, server, arguments[4], {arguments.begin() + 6, arguments.end()},
              arguments[1]};
  int status = 0;
  async::TaskScope scope{executor};
  scope.spawn("bench", run_guarded(bench, arguments[5], status));
  loop.run();
  return status;
}

}  // namespace
}  // namespace gantry::bench

int main(int argc, char** argv) {
  return gantry::bench::run({argv, static_cast<std::size_t>(argc)});
}
