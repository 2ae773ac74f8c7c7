#include "sandbox/local_nursery.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "base/text.hpp"

#include <array>
#include <cstring>

#include <fmt/format.h>
#include <signal.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds boot_max{20'000};
constexpr Milliseconds birth_max{5'000};
constexpr Milliseconds words_max{1'000};
constexpr Milliseconds turn_max{30'000};
constexpr std::size_t complaint_max = 400;

async::task<std::string> last_words(async::Process& process) {
  std::string words;
  std::array<char, 1024> buffer{};
  while (auto size = co_await process.read_some(buffer)) words.append(buffer.data(), size);
  co_return words;
}

Error not_started(std::string_view cause) {
  return {ErrorKind::unavailable, "no_nursery",
          fmt::format("cannot start the local sandbox: {}",
                      text::shortened(text::one_line(cause), complaint_max)),
          "install bubblewrap, and let the server's user make user namespaces"};
}

std::string_view bytes_of(const Birth& birth) {
  return {reinterpret_cast<const char*>(&birth), sizeof birth};
}

std::string filter_packet(const std::string& filter) {
  std::uint32_t kind = packet_filter;
  std::string packet(sizeof kind, '\0');
  std::memcpy(packet.data(), &kind, sizeof kind);
  return packet + filter;
}

async::task<void> configure(net::PacketSocket& socket, std::string filter) {
  auto ready = co_await socket.receive();
  if (ready.bytes.empty()) throw Failure{not_started("it ended at its start")};
  co_await socket.send(filter_packet(filter), {});
}

async::task<net::Packet> ask(net::PacketSocket& socket, const Birth& birth,
                             std::vector<int> descriptors) {
  co_await socket.send(bytes_of(birth), descriptors);
  co_return co_await socket.receive();
}

}  // namespace

LocalNursery::LocalNursery(async::Executor executor, Settings settings)
    : executor_{executor}, settings_{std::move(settings)}, idle_{executor} {}

void LocalNursery::stop() { alive_.reset(); }

async::task<Result<>> LocalNursery::start() {
  auto pair = net::packet_pair(executor_);
  if (!pair) co_return fail(pair.error());
  auto root = local_root(settings_.interpreter, settings_.privilege, pair->far.get());
  if (!root) co_return fail(root.error());
  auto process = async::Process::start(executor_, root->spec);
  if (!process) co_return fail(not_started(process.error().message));
  pair->far.close();
  auto configured = co_await async::attempt(async::with_deadline(
      boot_max, "starting the local sandbox", configure(pair->near, settings_.filter)));
  if (!configured) {
    process->kill(SIGKILL);
    auto words = co_await async::attempt(
        async::with_deadline(words_max, "its last words", last_words(*process)));
    co_return fail(not_started(words && !words->empty() ? *words : configured.error().message));
  }
  alive_ = std::make_shared<Alive>(std::move(*process), std::move(pair->near));
  co_return ok;
}

struct LocalNursery::Turn {
  explicit Turn(LocalNursery& nursery) : nursery{nursery} { nursery.busy_ = true; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    nursery.busy_ = false;
    nursery.idle_.notify();
  }
  LocalNursery& nursery;
};

async::task<Result<>> LocalNursery::bear(Birth birth, BirthDescriptors descriptors,
                                         Newborn& newborn) {
  // Again, where another was faster when the turn came.
  while (busy_) {
    auto waited = co_await async::attempt(
        async::with_deadline(turn_max, "waiting for a birth", idle_.wait()));
    if (!waited) co_return fail(waited.error());
  }
  Turn turn{*this};
  // Shielded: what was asked for and not read would be taken for the answer to the next.
  co_return co_await async::shielded(bear_alone(birth, std::move(descriptors), newborn));
}

async::task<Result<>> LocalNursery::bear_alone(Birth birth, BirthDescriptors descriptors,
                                               Newborn& newborn) {
  if (alive_ && alive_->births >= settings_.births_max) alive_.reset();
  if (!alive_) {
    if (auto started = co_await start(); !started) co_return fail(started.error());
  }
  auto pair = net::stream_pair(executor_);
  if (!pair) co_return fail(pair.error());
  descriptors.emplace_back(birth_stream, std::move(pair->far));
  birth.packet = packet_birth;
  birth.descriptors = static_cast<std::uint32_t>(descriptors.size());
  std::vector<int> passed;
  for (const auto& [role, descriptor] : descriptors) {
    birth.roles[passed.size()] = static_cast<std::uint8_t>(role);
    passed.push_back(descriptor.get());
  }
  ++alive_->births;
  auto answer = co_await async::attempt(async::with_deadline(
      birth_max, "bearing a sandbox", ask(alive_->socket, birth, std::move(passed))));
  if (!answer || answer->bytes.size() != sizeof(BirthAnswer)) {
    alive_.reset();  // nobody knows what it would answer next
    co_return fail(not_started(answer ? "the nursery has gone" : answer.error().message));
  }
  BirthAnswer words{};
  std::memcpy(&words, answer->bytes.data(), sizeof words);
  if (words.error != 0 || answer->descriptors.size() != 1) {
    co_return fail(
        ErrorKind::unavailable, "not_born",
        fmt::format("cannot make namespaces for a sandbox: {}", std::strerror(words.error)),
        "look at the limits in /proc/sys/user");
  }
  newborn = {.stream = std::move(pair->near),
             .process = std::move(answer->descriptors.front()),
             .home = alive_};
  co_return ok;
}

}  // namespace gantry::sandbox
