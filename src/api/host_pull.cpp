#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "api/json_text.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/event.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"

#include <map>

#include <fmt/format.h>

// Pulls an image to a host, with its progress as server-sent events or its end as JSON.
namespace gantry::api {
namespace {

constexpr Milliseconds pull_max{3'600'000};
constexpr Milliseconds heartbeat{10'000};
/// An image has at most 127 layers; a registry that makes more up is not told of.
constexpr std::size_t layers_max = 256;

struct Pulled {
  std::string id;
  std::string digest;
};

/// What came since somebody looked last: the latest of every layer, however fast it comes.
class Progress {
 public:
  explicit Progress(const async::Executor& executor) : changed_{executor} {}

  void note(const engine::PullProgress& line) {
    if (latest_.size() < layers_max || latest_.contains(line.layer)) latest_[line.layer] = line;
    changed_.notify();
  }
  void end() {
    ended_ = true;
    changed_.notify();
  }
  bool ended() const { return ended_; }
  std::map<std::string, engine::PullProgress> take() { return std::exchange(latest_, {}); }
  bool empty() const { return latest_.empty(); }
  async::task<void> changed() { return changed_.wait(); }

 private:
  std::map<std::string, engine::PullProgress> latest_;
  bool ended_ = false;
  async::Event changed_;
};

Result<engine::ImageReference> read_reference(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  auto text = fields.required_text("reference", {1, 512});
  if (auto read = fields.finish(); !read) return fail(read.error());
  auto reference = engine::ImageReference::parse(text);
  if (!reference) return fail(json::field_error("reference", reference.error().message));
  return reference;
}

/// `sha256:…` of what the registry has under this name.
std::string digest_of(const engine::ImageDetails& image, const engine::ImageReference& reference) {
  auto name = reference.familiar_name() + "@";
  for (const auto& digest : image.digests) {
    if (digest.starts_with(name)) return digest.substr(name.size());
  }
  return {};
}

async::task<Result<Pulled>> pull(HostPointer host, engine::ImageReference reference,
                                 std::optional<engine::RegistryAuth> auth,
                                 engine::OnPullProgress on_progress) {
  auto pulled = co_await engine::pull_image(host->engine(), reference, std::move(auth),
                                            std::move(on_progress));
  if (!pulled) co_return fail(std::move(pulled.error()));
  auto image = co_await engine::inspect_image(host->engine(), reference.familiar());
  if (!image) co_return fail(std::move(image.error()));
  co_return Pulled{image->id, digest_of(*image, reference)};
}

/// The pull as an audited change.
async::task<Result<Pulled>> audited_pull(Call& call, HostPointer host,
                                         engine::ImageReference reference,
                                         engine::OnPullProgress on_progress) {
  auto auth = call.services.registries.find(reference.domain());
  auto change =
      operation(call, *host, "image.pull", reference.familiar(), {{"signed_in", auth.has_value()}});
  change.deadline = pull_max;
  return call.services.operations.run(
      std::move(change), pull(host, std::move(reference), std::move(auth), std::move(on_progress)));
}

json::Object pulled_json(const engine::ImageReference& reference, const Pulled& pulled) {
  return {{"reference", reference.familiar()}, {"id", pulled.id}, {"digest", pulled.digest}};
}

std::string frame(std::string_view name, const json::Object& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
}

std::string frames_of(const std::map<std::string, engine::PullProgress>& lines) {
  std::string frames;
  for (const auto& [layer, line] : lines) {
    frames += frame("progress", {{"layer", line_json(layer)},
                                 {"status", line_json(line.status)},
                                 {"current_bytes", line.current_bytes},
                                 {"total_bytes", line.total_bytes}});
  }
  return frames;
}

async::task<void> tell_progress(Call& call, Progress& progress) {
  while (!progress.ended() || !progress.empty()) {
    if (progress.empty()) {
      auto news = co_await async::attempt(
          async::with_deadline(heartbeat, "waiting for the registry", progress.changed()));
      if (!news) co_await call.exchange.send(":\n\n");
      if (!call.services.access.still_valid(*call.identity)) {
        throw Failure{{ErrorKind::unauthenticated,
                       "signed_out",
                       "cannot go on with the pull: the caller has signed out",
                       {}}};
      }
      continue;
    }
    co_await call.exchange.send(frames_of(progress.take()));
  }
}

async::task<void> keep_result(async::task<Result<Pulled>> work, std::optional<Result<Pulled>>& into,
                              Progress& progress) {
  into = co_await std::move(work);
  progress.end();
}

async::task<void> stream(Call& call, HostPointer host, engine::ImageReference reference) {
  Progress progress{call.services.executor};
  auto note = [&progress](const engine::PullProgress& line) { progress.note(line); };
  std::optional<Result<Pulled>> pulled;
  auto work = audited_pull(call, std::move(host), reference, note);
  co_await async::both(keep_result(std::move(work), pulled, progress),
                       tell_progress(call, progress));
  auto last = *pulled ? frame("done", pulled_json(reference, **pulled))
                      : frame("error", error_json(pulled->error()));
  co_await call.exchange.send(std::move(last));
  co_await call.exchange.finish_stream();
}

bool wants_events(const Call& call) { return call.header("Accept").contains("text/event-stream"); }

}  // namespace

Answer pull_host_image(Call& call) {
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto reference = co_await read_json(call, &read_reference);
  if (!reference) co_return fail(std::move(reference.error()));
  if (!wants_events(call)) {
    auto pulled = co_await unless_abandoned(call, audited_pull(call, *host, *reference, {}));
    if (!pulled) co_return answered_already();
    if (!*pulled) co_return fail(std::move(pulled->error()));
    co_return json_reply(200, pulled_json(*reference, **pulled));
  }
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}};
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  auto winner = co_await async::race(stream(call, *host, *reference), call.exchange.peer_gone());
  call.abandoned = winner == async::Winner::second;
  co_return answered_already();
}

}  // namespace gantry::api
