// What an engine answers, as the real client reads it off the wire: whatever comes is a value or an
// error that can be shown on one line, and a stream says the same however it is cut.
//
// The first byte of an input chooses the reader (upper case: the engine refuses), the second how
// many bytes come at once (`0`: all).
#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "base/text.hpp"
#include "engine/container_uses.hpp"
#include "engine/containers.hpp"
#include "engine/disk_usage.hpp"
#include "engine/events.hpp"
#include "engine/exec.hpp"
#include "engine/images.hpp"
#include "engine/networks.hpp"
#include "engine/system.hpp"
#include "engine/volumes.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

using namespace gantry;

namespace {

constexpr std::string_view ping =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n";
const std::string id(64, 'a');

/// What the engine answers to everything but a ping.
struct Script {
  unsigned status = 200;
  std::string_view body;
  std::size_t piece = 0;
};

/// A connection to that engine.
class Scripted final : public net::Stream {
 public:
  explicit Scripted(Script script) : script_{script} {}

  async::task<std::size_t> read_some(std::span<char> into) override {
    auto count = std::min(into.size(), answer_.size());
    if (script_.piece != 0) count = std::min(count, script_.piece);
    answer_.copy(into.data(), count);
    answer_.erase(0, count);
    co_return count;
  }
  async::task<void> write(std::string_view bytes) override {
    if (bytes.starts_with("GET /_ping ")) {
      answer_ += ping;
    } else if (bytes.starts_with("GET /") || bytes.starts_with("POST /") ||
               bytes.starts_with("DELETE /")) {
      answer_ += fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", script_.status,
                             script_.body.size(), script_.body);
    }
    co_return;
  }
  void write_last(std::string /*bytes*/) override {}
  void finish_writing() override {}
  void close() override { answer_.clear(); }

 private:
  Script script_;
  std::string answer_;
};

async::task<std::unique_ptr<net::Stream>> dial(Script script) {
  co_return std::make_unique<Scripted>(script);
}

/// What came of reading: how many things, or an error.
using Read = Result<std::size_t>;
using Reader = async::task<Read> (*)(engine::Client&);

template <class T>
Read one(const Result<T>& value) {
  if (!value) return fail(value.error());
  return std::size_t{1};
}
template <class T>
Read count_of(const Result<T>& values) {
  if (!values) return fail(values.error());
  return values->size();
}

void check_time(WallTime time) {
  CHECK(time >= WallTime{} && time <= WallTime{Seconds{7'258'118'400}});
}

async::task<Read> containers(engine::Client& client) {
  auto list = co_await engine::list_containers(client, engine::ListScope::all);
  if (list) {
    for (const auto& container : *list) check_time(container.created);
  }
  co_return count_of(list);
}
async::task<Read> container(engine::Client& client) {
  auto details = co_await engine::inspect_container(client, id);
  if (details) (void)engine::describe(engine::compare(engine::ContainerSpec{}, *details));
  co_return one(details);
}
async::task<Read> listed(engine::Client& client) {
  co_return one(co_await engine::list_container(client, id));
}
async::task<Read> uses(engine::Client& client) {
  co_return count_of(co_await engine::container_uses(client));
}
async::task<Read> top(engine::Client& client) {
  co_return one(co_await engine::container_top(client, id));
}
async::task<Read> changes(engine::Client& client) {
  co_return count_of(co_await engine::container_changes(client, id));
}
async::task<Read> created(engine::Client& client) {
  co_return one(
      co_await engine::create_container(client, "x", engine::ContainerSpec{.image = "x"}));
}
async::task<Read> updated(engine::Client& client) {
  co_return count_of(co_await engine::update_container(client, id, {.pids_limit = 7}));
}
async::task<Read> waited(engine::Client& client) {
  co_return one(co_await engine::wait_container(client, id, engine::WaitCondition::not_running));
}
async::task<Read> images(engine::Client& client) {
  auto list = co_await engine::list_images(client);
  if (list) {
    for (const auto& image : *list) check_time(image.created);
  }
  co_return count_of(list);
}
async::task<Read> image(engine::Client& client) {
  co_return one(co_await engine::inspect_image(client, "x"));
}
async::task<Read> history(engine::Client& client) {
  co_return count_of(co_await engine::image_history(client, "x"));
}
async::task<Read> removed_image(engine::Client& client) {
  co_return one(co_await engine::remove_image(client, "x", engine::RemoveImage::unless_used));
}
async::task<Read> volumes(engine::Client& client) {
  co_return count_of(co_await engine::list_volumes(client, {}));
}
async::task<Read> volume(engine::Client& client) {
  co_return one(co_await engine::inspect_volume(client, "x"));
}
async::task<Read> networks(engine::Client& client) {
  co_return count_of(co_await engine::list_networks(client));
}
async::task<Read> network(engine::Client& client) {
  co_return one(co_await engine::inspect_network(client, "x"));
}
async::task<Read> info(engine::Client& client) { co_return one(co_await engine::info(client)); }
async::task<Read> version(engine::Client& client) {
  co_return one(co_await engine::version(client));
}
async::task<Read> disk(engine::Client& client) {
  co_return one(co_await engine::disk_usage(client));
}
async::task<Read> exec(engine::Client& client) {
  co_return one(co_await engine::inspect_exec(client, id));
}

/// Everything a stream tells until it ends or breaks.
template <class Stream>
async::task<Read> tell(Result<Stream> stream, std::size_t& told) {
  if (!stream) co_return fail(stream.error());
  while (auto next = co_await stream->next()) {
    if constexpr (requires { next->time; }) check_time(next->time);
    if constexpr (requires { next->cpu_percent(); }) (void)next->cpu_percent();
    ++told;
  }
  co_return told;
}
std::size_t streamed = 0;
async::task<Read> events(engine::Client& client) {
  co_return co_await tell(co_await engine::follow_events(client, {}), streamed);
}
async::task<Read> stats(engine::Client& client) {
  co_return co_await tell(co_await engine::container_stats(client, id), streamed);
}
async::task<Read> pull(engine::Client& client) {
  auto reference = engine::ImageReference::parse("x");
  co_return one(co_await engine::pull_image(client, *reference, std::nullopt,
                                            [](const auto&) { ++streamed; }));
}

constexpr std::array<Reader, 24> readers{
    containers, container, listed,  uses,    top,           changes, created, updated,
    waited,     images,    image,   history, removed_image, volumes, volume,  networks,
    network,    info,      version, disk,    exec,          events,  stats,   pull};

Read read(Reader reader, Script script) {
  static async::TestLoop loop;
  static const auto endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fuzz.sock"));
  engine::Client client{loop.executor(), [script] { return dial(script); }, endpoint};
  streamed = 0;
  return loop.run(async::attempt(reader(client)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  auto letter = data[0];
  bool refuses = letter >= 'A' && letter <= 'Z';
  auto reader = readers.at((refuses ? letter - 'A' : letter + 120U - 'a') % readers.size());
  Script script{.status = refuses ? 409U : 200U, .body = fuzz::text_of(data + 2, size - 2)};
  auto whole = read(reader, script);
  auto told = streamed;
  if (!whole) {
    CHECK(text::one_line(whole.error().message) == whole.error().message);
    CHECK(whole.error().message.size() < 4'096);
  }
  script.piece = (data[1] - '0') & 0x3fU;
  if (script.piece == 0) return 0;
  auto cut = read(reader, script);
  CHECK(told == streamed && whole.has_value() == cut.has_value());
  CHECK(!whole || *whole == *cut);
  CHECK(whole || whole.error().message == cut.error().message);
  return 0;
}
