// Engines that are none: what the fleet's benchmark puts in the place of a hundred machines.
//
//   bench_fake_engines COUNT CONTAINERS
//
// Listens on as many loopback ports, prints them on one line, and serves until its standard input
// ends. Beside the engine's own routes each has `POST /bench/storm?rate=N&seconds=N`: so many
// events a second; and `GET /bench/log-streams`: how many streams of logs were opened so far. Every
// container writes one numbered line a millisecond.
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "net/http_server.hpp"

#include <algorithm>
#include <charconv>
#include <list>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>               // a loop of its own
#include <boost/asio/posix/stream_descriptor.hpp>  // until nobody holds its standard input
#include <boost/asio/redirect_error.hpp>           // of an end that is no error
#include <boost/asio/use_awaitable.hpp>            // by co_await
#include <fmt/format.h>
#include <unistd.h>

namespace gantry::bench {
namespace {

namespace asio = boost::asio;

constexpr Milliseconds tick{10};

std::size_t number_after(std::string_view text, std::string_view key, std::size_t fallback) {
  auto at = text.find(key);
  if (at == text.npos) return fallback;
  std::size_t number = fallback;
  auto rest = text.substr(at + key.size());
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number;
}

std::string id_of(std::size_t engine, std::size_t container) {
  return fmt::format("{:08x}{:08x}{:048x}", engine + 1, container, 0);
}

json::Object container_json(std::size_t engine, std::size_t index) {
  auto project = fmt::format("shop-{}", index / 10);
  auto service = fmt::format("web-{}", index % 10);
  auto name = fmt::format("/{}-{}-1", project, service);
  return {{"Id", id_of(engine, index)},
          {"Names", json::Array{name}},
          {"Image", fmt::format("registry.example.org/shop/{}:1.{}", service, index)},
          {"ImageID", "sha256:" + id_of(engine, index)},
          {"Command", "/usr/local/bin/serve"},
          {"Created", 1'790'000'000 + static_cast<std::int64_t>(index)},
          {"Ports", json::Array{json::Object{{"PrivatePort", 80}, {"Type", "tcp"}}}},
          {"Labels", json::Object{{"com.docker.compose.project", project},
                                  {"com.docker.compose.service", service},
                                  {"com.docker.compose.oneoff", "False"},
                                  {"org.example.team", fmt::format("team-{}", engine % 7)}}},
          {"State", index % 5 == 0 ? "exited" : "running"},
          {"Status", index % 5 == 0 ? "Exited (0) 2 hours ago" : "Up 2 hours (healthy)"},
          {"Mounts", json::Array{}}};
}

/// Lines number `from` to `to` of a log, one a millisecond, as the engine frames them.
std::string log_lines(std::uint64_t from, std::uint64_t to) {
  std::string out;
  for (auto n = from; n < to; ++n) {
    auto line = fmt::format("2026-01-01T{:02}:{:02}:{:02}.{:03}000000Z line {}\n", n / 3'600'000,
                            n / 60'000 % 60, n / 1'000 % 60, n % 1'000, n);
    out.append({1, 0, 0, 0, 0, 0, 0, static_cast<char>(line.size())}).append(line);
  }
  return out;
}

class FakeEngine {
 public:
  FakeEngine(async::Executor executor, std::size_t index, std::size_t containers)
      : index_{index},
        containers_{containers},
        server_{executor, {}, [this](auto& exchange) { return answer(exchange); }} {
    json::Array all;
    for (std::size_t i = 0; i < containers; ++i) all.push_back(container_json(index, i));
    list_ = json::serialize(all);
  }
  std::uint16_t listen() { return value_or_throw(server_.listen("127.0.0.1:0")); }
  async::task<void> run() { return server_.run(); }

 private:
  using Exchange = net::http::Exchange;

  async::task<void> answer(Exchange& exchange) {
    std::string target = exchange.request().target;
    if (target.starts_with("/bench/storm")) {
      rate_ = number_after(target, "rate=", 10'000);
      storm_until_ = steady_now() + Seconds{static_cast<int>(number_after(target, "seconds=", 5))};
      co_return co_await reply(exchange, "{}");
    }
    if (target == "/bench/log-streams") {
      co_return co_await reply(exchange, fmt::format("{}", log_streams_));
    }
    if (target == "/_ping") co_return co_await reply(exchange, "OK");
    auto slash = target.find('/', 1);
    auto path = slash == target.npos ? std::string{} : target.substr(slash);
    if (path.starts_with("/events")) co_return co_await events(exchange);
    if (path.starts_with("/info")) co_return co_await reply(exchange, info());
    if (path.starts_with("/version")) {
      co_return co_await reply(exchange, R"({"Version":"20.10.24","ApiVersion":"1.41"})");
    }
    if (path.starts_with("/containers/json")) co_return co_await reply(exchange, listed(path));
    if (path.find("/logs?") != path.npos) co_return co_await log(exchange, std::move(path));
    if (path.starts_with("/containers/")) co_return co_await reply(exchange, inspected(path));
    if (path.starts_with("/volumes")) co_return co_await reply(exchange, R"({"Volumes":[]})");
    co_return co_await reply(exchange, "[]");
  }

  async::task<void> reply(Exchange& exchange, std::string body) const {
    net::http::ResponseHead head{.status = 200, .headers = {}};
    head.headers.set("Content-Type", "application/json");
    head.headers.set("Api-Version", "1.41");
    co_await exchange.respond(std::move(head), std::move(body));
  }

  std::string info() const {
    return fmt::format(
        R"({{"ID":"fake-{}","Name":"machine-{}","ServerVersion":"20.10.24","OperatingSystem":)"
        R"("Debian","Architecture":"x86_64","KernelVersion":"6.1.0","NCPU":8,"MemTotal":)"
        R"(34359738368,"Driver":"overlay2","CgroupVersion":"2","SecurityOptions":[]}})",
        index_, index_);
  }

  /// All, or the one that the filter names.
  std::string listed(const std::string& path) const {
    auto at = path.find(fmt::format("{:08x}", index_ + 1));
    if (path.find("filters=") == path.npos || at == path.npos) return list_;
    std::size_t container = 0;
    std::from_chars(path.data() + at + 8, path.data() + at + 16, container, 16);
    return json::serialize(json::Array{container_json(index_, container % containers_)});
  }

  static std::string inspected(const std::string& path) {
    return fmt::format(
        R"({{"Id":"{}","Name":"/busy","State":{{"Status":"running","Running":true}},"Config":{{}},)"
        R"("HostConfig":{{}},"NetworkSettings":{{}},"Mounts":[]}})",
        path.substr(std::string_view{"/containers/"}.size(), 64));
  }

  /// The last lines and, to who follows, all that come.
  async::task<void> log(Exchange& exchange, std::string path) {
    auto written = lines_written();
    auto from = written - std::min<std::uint64_t>(written, number_after(path, "tail=", written));
    net::http::ResponseHead head{.status = 200, .headers = {}};
    head.headers.set("Content-Type", "application/vnd.docker.multiplexed-stream");
    co_await exchange.begin_stream(std::move(head));
    co_await exchange.send(log_lines(from, written));
    if (path.find("follow=1") == path.npos) co_return co_await exchange.finish_stream();
    ++log_streams_;
    co_await async::race(write_on(exchange, written), exchange.peer_gone());
  }
  async::task<void> write_on(Exchange& exchange, std::uint64_t from) const {
    while (true) {
      co_await async::pause(tick);
      auto to = lines_written();
      co_await exchange.send(log_lines(std::exchange(from, to), to));
    }
  }
  std::uint64_t lines_written() const {
    auto passed = std::chrono::duration_cast<Milliseconds>(steady_now() - begun_);
    return static_cast<std::uint64_t>(passed.count());
  }

  async::task<void> events(Exchange& exchange) {
    net::http::ResponseHead head{.status = 200, .headers = {}};
    head.headers.set("Content-Type", "application/json");
    co_await exchange.begin_stream(std::move(head));
    co_await async::race(storm(exchange), exchange.peer_gone());
  }

  /// Health events of the containers in turn, whenever there is a storm.
  async::task<void> storm(Exchange& exchange) {
    std::size_t next = 0;
    while (true) {
      co_await async::pause(tick);
      if (steady_now() >= storm_until_) continue;
      std::string batch;
      for (std::size_t i = 0; i < rate_ * static_cast<std::size_t>(tick.count()) / 1'000; ++i) {
        auto id = id_of(index_, next++ % containers_);
        batch += fmt::format(
            R"({{"status":"health_status: healthy","id":"{0}","Type":"container","Action":)"
            R"("health_status: healthy","Actor":{{"ID":"{0}","Attributes":{{"name":"x"}}}},)"
            R"("scope":"local","time":1790000000,"timeNano":1790000000000000000}})"
            "\n",
            id);
      }
      co_await exchange.send(std::move(batch));
    }
  }

  std::size_t index_;
  std::size_t containers_;
  std::string list_;
  std::size_t rate_ = 0;
  SteadyTime storm_until_{};
  SteadyTime begun_ = steady_now();
  int log_streams_ = 0;
  net::http::Server server_;
};

/// Whoever started us holds the other end of standard input.
async::task<void> until_input_ends() {
  asio::posix::stream_descriptor input{co_await asio::this_coro::executor, ::dup(STDIN_FILENO)};
  std::array<char, 64> bytes{};
  boost::system::error_code failed;
  while (!failed) {
    co_await input.async_read_some(asio::buffer(bytes),
                                   asio::redirect_error(asio::use_awaitable, failed));
  }
}

async::task<void> run_engine(FakeEngine& engine) { return engine.run(); }

async::task<void> serve(async::TaskScope& engines) {
  co_await until_input_ends();
  co_await engines.close();
}

int run(std::span<char*> arguments) {
  if (arguments.size() < 3) {
    fmt::print(stderr, "usage: bench_fake_engines COUNT CONTAINERS\n");
    return 2;
  }
  auto count = number_after(fmt::format("={}", arguments[1]), "=", 1);
  auto containers = number_after(fmt::format("={}", arguments[2]), "=", 1);
  asio::io_context loop{1};
  std::list<FakeEngine> engines;
  async::TaskScope scope{loop.get_executor()};
  async::TaskScope ending{loop.get_executor()};
  for (std::size_t i = 0; i < count; ++i) {
    auto& engine = engines.emplace_back(loop.get_executor(), i, containers);
    fmt::print("{} ", engine.listen());
    scope.spawn("engine", run_engine(engine));
  }
  fmt::print("\n");
  std::fflush(stdout);
  ending.spawn("end", serve(scope));
  loop.run();
  return 0;
}

}  // namespace
}  // namespace gantry::bench

int main(int argc, char** argv) {
  return gantry::bench::run({argv, static_cast<std::size_t>(argc)});
}
