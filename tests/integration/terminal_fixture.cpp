#include "integration/terminal_fixture.hpp"

#include "access/audit_store.hpp"
#include "async/deadline.hpp"
#include "base/random.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace gantry {
namespace {

/// Only so that a test that fails ends.
constexpr Milliseconds patience{60'000};

async::task<void> read_until(fleet::TerminalViewer& viewer, std::string& shown,
                             const std::string& until) {
  while (!shown.contains(until)) {
    auto news = co_await viewer.next();
    shown += news.bytes;
    if (news.cut) throw Failure{*news.cut};
    if (!news.ended || shown.contains(until)) continue;
    throw Failure{
        {ErrorKind::internal,
         "ended",
         fmt::format("the terminal ended ({}) and showed '{}'", word(news.ended->reason), shown),
         {}}};
  }
}

async::task<void> wait_until_cut(const fleet::TerminalViewer& viewer) {
  while (!viewer.is_cut()) co_await async::pause(Milliseconds{20});
}

async::task<void> wait_until_gone(fleet::Terminals& terminals, const std::string& id) {
  while (terminals.find(id)) co_await async::pause(Milliseconds{20});
}

async::task<fleet::TerminalEnd> read_to_end(fleet::TerminalViewer& viewer) {
  for (;;) {
    auto news = co_await viewer.next();
    if (news.ended) co_return *news.ended;
    if (news.cut) throw Failure{*news.cut};
  }
}

}  // namespace

void TerminalFixture::SetUp() {
  RealEngine::SetUp();
  if (!usable()) return;
  database_ = loop_.run(storage::open_for_test(folder_.path()));
  run(access::audit::migrate(*database_));
  operations_ =
      std::make_unique<fleet::Operations>(executor(), *database_, fleet::Operations::Settings{});
  use({});
}

void TerminalFixture::finish() {
  if (terminals_) run(terminals_->close());
  terminals_.reset();
}

void TerminalFixture::TearDown() {
  if (usable()) {
    finish();
    run(operations_->close());
  }
  RealEngine::TearDown();
}

void TerminalFixture::use(fleet::TerminalSettings settings, fleet::Recordings::Settings recordings,
                          Recorded recorded) {
  finish();
  auto endpoint = value_or_throw(net::Endpoint::parse(std::getenv("GANTRY_TEST_ENGINE")));
  fleet::HostConfig config{.id = fleet::HostId{"h1"}, .name = "local", .endpoint = endpoint};
  if (recorded == Recorded::yes) config.labels[std::string{fleet::recording_label}] = "on";
  host_ = std::make_shared<fleet::Host>(
      executor(), fleet::HostRecord{.config = std::move(config), .reach = {.endpoint = endpoint}},
      fleet::HostWay{.connect = net::dialer(executor(), endpoint)}, Clock{}, fleet::LinkSettings{});
  recordings.folder = folder_.path() / "recordings";
  recordings_ = std::make_unique<fleet::Recordings>(
      *database_, workers_, Sealer{Secret{random::bytes(Sealer::key_bytes)}},
      std::move(recordings));
  run(recordings_->start());
  terminals_ = std::make_unique<fleet::Terminals>(executor(), *operations_, recordings_.get(),
                                                  std::move(settings));
}

fleet::TerminalWish TerminalFixture::wish(std::string container) const {
  return {.owner = {.name = "ada", .id = "u1", .by = "session"},
          .container = std::move(container),
          .name = "web-1",
          .project = {},
          .shell = {},
          .user = {},
          .working_dir = {},
          .env = {}};
}

fleet::TerminalView TerminalFixture::open(fleet::TerminalWish wish) {
  return must(terminals_->open(host_, std::move(wish)));
}

std::unique_ptr<fleet::TerminalViewer> TerminalFixture::join(const std::string& id,
                                                             fleet::TerminalViewer::May may) {
  return value_or_throw(terminals_->join(id, may));
}

std::string TerminalFixture::shown(fleet::TerminalViewer& viewer, std::string until) {
  std::string shown = viewer.replay();
  run(async::with_deadline(patience, fmt::format("waiting for '{}'", until),
                           read_until(viewer, shown, until)));
  return shown;
}

fleet::TerminalEnd TerminalFixture::ended(fleet::TerminalViewer& viewer) {
  return run(async::with_deadline(patience, "waiting for the end", read_to_end(viewer)));
}

void TerminalFixture::until_cut(const fleet::TerminalViewer& viewer) {
  run(async::with_deadline(patience, "waiting for the cut", wait_until_cut(viewer)));
}

void TerminalFixture::until_gone(const std::string& id) {
  run(async::with_deadline(patience, "waiting for the end", wait_until_gone(*terminals_, id)));
}

std::string TerminalFixture::output_of(const std::string& container,
                                       std::vector<std::string> command) {
  engine::ExecSpec spec;
  spec.command = std::move(command);
  return must(engine::run_exec(engine(), container, std::move(spec), {}, {})).out.bytes;
}

std::string TerminalFixture::processes(const std::string& container) {
  return output_of(container, {"ps", "-o", "pid,args"});
}

std::vector<std::string> TerminalFixture::audit() {
  run(operations_->close());
  auto page = run(storage::transact(*database_, [](storage::Transaction& transaction) {
    return access::audit::list(transaction, 100, {});
  }));
  std::vector<std::string> rows;
  for (const auto& record : value_or_throw(std::move(page)).items) {
    rows.push_back(
        fmt::format("{} {} {}", record.entry.actor, record.entry.action, record.entry.outcome));
  }
  return rows;
}

}  // namespace gantry
