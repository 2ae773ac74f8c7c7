#include "fleet/terminal_session.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

// One coroutine lives for as long as the session: it reads what the shell writes, beside others
// that hand on what is typed, keep the size, and look at the clock. Viewers have a bounded queue
// each. The shell is read no faster than the fastest viewer takes it, so that a flood of output
// waits in the shell and not here; who is slower than others, or stands still, is cut.
namespace gantry::fleet {
namespace {

constexpr std::size_t piece_max = 64U << 10U;
constexpr Milliseconds inspect_max{5'000};
constexpr int resize_tries = 5;
constexpr Milliseconds between_resizes{100};
constexpr int exit_looks = 40;
constexpr Milliseconds between_looks{50};

constexpr std::array<std::string_view, 8> ending_words{
    "exited",           "closed",          "idle",           "too_old", "abandoned",
    "recording_failed", "connection_lost", "server_stopping"};

Error too_slow() {
  return {ErrorKind::exhausted, "too_slow",
          "cannot show more here: this viewer takes too slowly what the shell writes",
          "come back: the terminal goes on"};
}

}  // namespace

std::string_view word(TerminalEnding ending) {
  return ending_words[static_cast<std::size_t>(ending)];
}

TerminalViewer::TerminalViewer(std::shared_ptr<TerminalSession> session, May may)
    : session_{std::move(session)}, may_{may} {
  session_->enter(*this);
}

TerminalViewer::~TerminalViewer() { session_->leave(*this); }

bool TerminalViewer::has_news() const {
  return size_ || viewers_ || !waiting_.empty() || cut_ || session_->end_;
}

bool TerminalViewer::has_ended() const { return session_->end_.has_value(); }

async::task<TerminalNews> TerminalViewer::next() {
  while (!has_news()) co_await session_->changed_.wait();
  TerminalNews news;
  news.cut = cut_;
  if (cut_) co_return news;
  news.size = std::exchange(size_, std::nullopt);
  news.viewers = std::exchange(viewers_, std::nullopt);
  news.bytes = waiting_.substr(0, piece_max);
  waiting_.erase(0, news.bytes.size());
  behind_since_ = steady_now();
  if (waiting_.empty()) news.ended = session_->end_;
  session_->wake();
  co_return news;
}

async::task<void> TerminalViewer::until_cut() {
  while (!cut_) co_await session_->changed_.wait();
}

async::task<void> TerminalViewer::type(std::string bytes) {
  auto& session = *session_;
  session.active_ = steady_now();
  while (typed_ahead() && !session.end_) co_await session.changed_.wait();
  if (session.end_) co_return;
  session.typed_bytes_ += bytes.size();
  session.typed_ += bytes;
  session.wake();
}

bool TerminalViewer::typed_ahead() const {
  return session_->typed_.size() >= session_->settings_.typed_max;
}

void TerminalViewer::resize(engine::TerminalSize size) {
  session_->wanted_size_ = size;
  session_->wake();
}

void TerminalViewer::end() { session_->stop(TerminalEnding::closed); }

TerminalView TerminalViewer::view() const { return session_->view(); }

TerminalSession::TerminalSession(async::Executor executor, const TerminalSettings& settings,
                                 Started started)
    : settings_{settings},
      view_{std::move(started.view)},
      host_{std::move(started.host)},
      stream_{std::move(started.stream)},
      exec_{std::move(started.exec)},
      recorder_{std::move(started.recorder)},
      underway_{std::move(started.underway)},
      replay_{settings.replay_max},
      wanted_size_{view_.wish.size},
      stop_{executor},
      changed_{executor} {}

TerminalView TerminalSession::view() const {
  auto view = view_;
  view.host = host_->name();  // somebody may have renamed it
  view.viewers = viewers_.size();
  return view;
}

bool TerminalSession::may_be_joined() const {
  // What a short program has said is for who asked for it, however late they come.
  bool over = reason_ && (was_watched_ || *reason_ != TerminalEnding::exited);
  return !over && viewers_.size() < settings_.viewers_max;
}

void TerminalSession::enter(TerminalViewer& viewer) {
  viewer.replay_ = replay_.snapshot();
  viewer.behind_since_ = steady_now();
  viewers_.push_back(&viewer);
  was_watched_ = true;
  tell_count();
}

void TerminalSession::leave(TerminalViewer& viewer) {
  std::erase(viewers_, &viewer);
  watched_ = steady_now();
  tell_count();
}

void TerminalSession::tell_count() {
  for (auto* viewer : viewers_) viewer->viewers_ = viewers_.size();
  wake();
}

void TerminalSession::stop(TerminalEnding reason) {
  if (!reason_) reason_ = reason;
  stop_.stop();
}

async::task<TerminalEnd> TerminalSession::ended() {
  while (!end_) co_await changed_.wait();
  co_return *end_;
}

bool TerminalSession::all_are_behind() const {
  auto behind = [&](const auto* viewer) {
    return !viewer->cut_ && viewer->waiting_.size() >= settings_.viewer_full;
  };
  return !viewers_.empty() && std::ranges::all_of(viewers_, behind);
}

void TerminalSession::cut(TerminalViewer& viewer) {
  viewer.cut_ = too_slow();
  std::string{}.swap(viewer.waiting_);
}

void TerminalSession::cut_those_who_stand_still() {
  auto now = steady_now();
  for (auto* viewer : viewers_) {
    if (viewer->waiting_.empty() || viewer->cut_) continue;
    if (now - viewer->behind_since_ > settings_.stall_max) cut(*viewer);
  }
  wake();
}

/// First it is recorded, then it is shown.
async::task<void> TerminalSession::show(std::string bytes) {
  if (recorder_) {
    auto recorded = co_await async::attempt(recorder_->output(bytes));
    if (!recorded) {
      log::warn("terminal {} ends: {}", view_.id, recorded.error().sentence());
      co_return stop(TerminalEnding::recording_failed);
    }
  }
  active_ = steady_now();
  shown_bytes_ += bytes.size();
  replay_.append(bytes);
  for (auto* viewer : viewers_) {
    if (viewer->cut_) continue;
    if (viewer->waiting_.empty()) viewer->behind_since_ = active_;
    viewer->waiting_ += bytes;
    if (viewer->waiting_.size() > settings_.viewer_max) cut(*viewer);
  }
  wake();
}

async::task<void> TerminalSession::read_output() {
  while (auto frame = co_await stream_.read()) {
    co_await show(std::move(frame->bytes));
    while (all_are_behind()) co_await changed_.wait();
  }
}

async::task<void> TerminalSession::write_input() {
  for (;;) {
    while (typed_.empty()) co_await changed_.wait();
    auto bytes = typed_.substr(0, piece_max);
    typed_.erase(0, bytes.size());
    co_await stream_.write(bytes);
    active_ = steady_now();
    wake();
  }
}

async::task<void> TerminalSession::keep_size() {
  for (;;) {
    while (!wanted_size_) co_await changed_.wait();
    auto size = *std::exchange(wanted_size_, std::nullopt);
    // An engine that has only just begun to start the shell refuses.
    for (int tries = 0; tries < resize_tries && !wanted_size_; ++tries) {
      auto& engine = host_->engine();
      auto resized = co_await async::attempt(engine::resize_exec(engine, exec_.exec, size));
      if (resized) break;
      co_await async::pause(between_resizes);
    }
    if (view_.wish.size == size) continue;
    view_.wish.size = size;
    if (recorder_) recorder_->resized(size);
    for (auto* viewer : viewers_) viewer->size_ = size;
    wake();
  }
}

async::task<void> TerminalSession::watch_times() {
  for (;;) {
    co_await async::pause(settings_.look);
    auto now = steady_now();
    cut_those_who_stand_still();
    if (now - created_ > settings_.age_max) stop(TerminalEnding::too_old);
    if (now - active_ > settings_.idle_after) stop(TerminalEnding::idle);
    if (viewers_.empty() && now - watched_ > settings_.abandoned_after) {
      stop(TerminalEnding::abandoned);
    }
  }
}

/// Input that the shell does not take any more, and times, change nothing of what it writes.
async::task<void> TerminalSession::serve() {
  co_await async::with_companion(
      async::with_companion(async::with_companion(read_output(), write_input()), keep_size()),
      watch_times());
}

/// Until the shell ends, the connection breaks, or somebody wants the end.
async::task<void> TerminalSession::live() {
  auto lived = co_await async::attempt(async::race(serve(), stop_.wait()));
  if (!lived) {
    log::warn("terminal {} on host '{}' ends: {}", view_.id, view_.host, lived.error().sentence());
  }
  if (!reason_) reason_ = lived ? TerminalEnding::exited : TerminalEnding::connection_lost;
}

/// An engine may need a moment to notice that what has closed its terminal has ended. Where it goes
/// on, or nobody can be asked, it was the connection that was closed: that looks the same.
async::task<std::optional<std::int64_t>> TerminalSession::exit_code() {
  for (int looks = 0; looks < exit_looks; ++looks) {
    if (looks > 0) co_await async::pause(between_looks);
    auto state = co_await async::attempt(
        async::with_deadline(inspect_max, "asking how the shell ended",
                             engine::inspect_exec(host_->engine(), exec_.exec)));
    if (!state && state.error().kind == ErrorKind::not_found) co_return std::nullopt;
    if (!state) break;
    if (!state->running) co_return state->exit_code;
  }
  if (*reason_ == TerminalEnding::exited) reason_ = TerminalEnding::connection_lost;
  co_return std::nullopt;
}

async::task<void> TerminalSession::finish_recording() {
  if (!recorder_) co_return;
  auto finished = co_await async::attempt(recorder_->finish(std::string{word(*reason_)}));
  if (!finished) {
    log::error("the end of recording {} is not written: {}", view_.recording,
               finished.error().sentence());
  }
}

void TerminalSession::tell_how_it_ended() {
  bool ended = end_->process.fate == engine::ProcessFate::ended;
  json::Object facts{{"reason", word(*reason_)},
                     {"process", ended ? "ended" : "may_live_on"},
                     {"shown_bytes", shown_bytes_},
                     {"typed_bytes", typed_bytes_}};
  if (end_->exit_code) facts["exit_code"] = *end_->exit_code;
  if (!ended) facts["detail"] = end_->process.detail;
  underway_.succeeded(facts);
}

/// What stays to be done on every way out.
async::task<void> TerminalSession::die() {
  if (!reason_) reason_ = TerminalEnding::server_stopping;
  TerminalEnd end{.reason = *reason_, .exit_code = {}, .process = {}};
  if (*reason_ == TerminalEnding::exited) end.exit_code = co_await exit_code();
  if (!end.exit_code) {
    end.process = co_await engine::end_exec(host_->engine(), exec_, "HUP");
    bool over = end.process.fate == engine::ProcessFate::ended;
    if (over) end.exit_code = co_await exit_code();
  }
  end.reason = *reason_;
  stream_.close();
  co_await finish_recording();
  end_ = std::move(end);
  tell_how_it_ended();
  wake();
}

async::task<void> TerminalSession::wait_for_somebody() {
  while (!was_watched_) co_await changed_.wait();
}

/// A program may have ended before anybody could look.
async::task<void> TerminalSession::linger() {
  if (*reason_ != TerminalEnding::exited) co_return;
  auto waiting =
      async::with_deadline(settings_.abandoned_after, "waiting for somebody", wait_for_somebody());
  co_await async::race(std::move(waiting), stop_.wait());
}

async::task<void> TerminalSession::run(std::shared_ptr<TerminalSession> self,
                                       std::function<void(const std::string& id)> gone) {
  auto ran = co_await async::attempt(async::finally(self->live(), self->die()));
  auto lingered = co_await async::attempt(self->linger());
  if (!ran) log::error("terminal {} broke: {}", self->view_.id, ran.error().sentence());
  gone(self->view_.id);
}

}  // namespace gantry::fleet
