#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "executions/live.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

// How programs come in: from callers, and from the disk after a restart.
namespace gantry::executions {
namespace {

constexpr std::uint64_t retain_every = 64;
constexpr std::chrono::hours key_life{24};
// So long a program may run before it gets its row, when its caller hears only of its end.
constexpr Milliseconds row_pause{100};

/// What a waiting program holds in memory.
Bytes weight_of(const sandbox::Program& program) {
  Bytes sum{program.input.size()};
  for (const auto& file : program.files) sum.count += file.content.size();
  return sum;
}

Record record_of(const Submission& submission, const Caller& caller, ExecutionId id, WallTime now) {
  Record record;
  record.id = std::move(id);
  record.owner = caller.user;
  record.owner_id = caller.account();
  record.language = submission.program.language;
  record.image = submission.program.image;
  record.command = submission.program.command;
  record.source = sandbox::entry_content(submission.program);
  record.webhook = submission.webhook;
  record.created_at = now;
  return record;
}

/// So many new ids, in their order.
std::vector<ExecutionId> fresh_ids(std::size_t count, WallTime now) {
  std::vector<ExecutionId> ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids.emplace_back(random::sortable_id(now.time_since_epoch().count()));
  }
  std::ranges::sort(ids);
  return ids;
}

/// The ids in the places of their programs; the others' are empty.
std::vector<ExecutionId> in_places(std::vector<ExecutionId> ids,
                                   const std::vector<std::size_t>& refused) {
  for (auto place : refused) {
    ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(place), ExecutionId{});
  }
  return ids;
}

/// The key as it is kept, before it is known what it makes.
store::Repeatable repeatable(const Order& order, WallTime now) {
  return {.owner = order.caller.account(),
          .owner_name = order.caller.user,
          .key = order.key->key,
          .fingerprint = order.key->fingerprint,
          .target = {},
          .members = {},
          .expires_at = now + key_life};
}

}  // namespace

/// Programs between their admission and their place. What is not kept in the end is given back.
class Executions::Entering {
 public:
  explicit Entering(Executions& executions) : executions_{executions} { ++executions_.entering_; }
  Entering(const Entering&) = delete;
  Entering& operator=(const Entering&) = delete;
  ~Entering() {
    for (const auto& [ticket, place] : entered_) executions_.admission_.give_up(ticket, place);
    if (key_) executions_.entering_keys_.erase(*key_);
    --executions_.entering_;
    executions_.changed_.notify();
  }

  Result<Admission::Place> enter(Ticket ticket) {
    auto place = executions_.admission_.enter(ticket);
    if (place) entered_.emplace_back(std::move(ticket), *place);
    return place;
  }
  /// Whether nobody else comes in with that key now; nobody will before these are in.
  bool take(const store::Repeatable& key) {
    auto [at, fresh] = executions_.entering_keys_.emplace(key.owner, key.key);
    if (fresh) key_ = *at;
    return fresh;
  }
  /// They have their places.
  void keep() { entered_.clear(); }

 private:
  Executions& executions_;
  std::vector<std::pair<Ticket, Admission::Place>> entered_;
  std::optional<std::pair<std::string, std::string>> key_;
};

async::task<Result<Record>> Executions::submit(std::string owner, sandbox::Program program,
                                               sandbox::Policy policy) {
  Order order;
  order.caller.user = std::move(owner);
  order.submissions.push_back({.program = std::move(program), .policy = std::move(policy)});
  auto receipt = co_await place(std::move(order));
  if (!receipt) co_return fail(std::move(receipt.error()));
  co_return std::move(receipt->records.front());
}

Result<> Executions::possible(const Order& order) const {
  for (const auto& submission : order.submissions) {
    if (!settings_.possible) break;
    auto possible = settings_.possible(submission.policy, submission.executor);
    if (!possible) return possible;
  }
  return ok;
}

async::task<Result<Receipt>> Executions::place(Order order) {
  CHECK(order.key || !order.submissions.empty());
  if (closing_) {
    co_return fail(ErrorKind::unavailable, "server_stopping",
                   "cannot take the program: the server is being stopped", "try again later");
  }
  Entering entering{*this};
  auto now = settings_.clock.now();
  std::optional<store::Repeatable> key;
  if (order.key) {
    key = repeatable(order, now);
    // Who asks again meanwhile is not to find the workspace taken by the first.
    while (!entering.take(*key)) co_await changed_.wait();
    auto earlier = co_await store::repeated(database_, *key, now);
    if (earlier) co_return co_await already_done(order, std::move(*earlier));
  }
  if (order.submissions.empty()) co_return Receipt{};

  if (auto can = possible(order); !can) co_return fail(std::move(can.error()));
  auto workspaces = co_await borrow_workspaces(order);
  if (!workspaces) co_return fail(std::move(workspaces.error()));

  Receipt receipt;
  auto ids = fresh_ids(order.submissions.size(), now);
  if (order.kind == Order::Kind::batch)
    receipt.batch = random::sortable_id(now.time_since_epoch().count());
  receipt.ids = in_places(ids, order.refused);
  if (key) {
    key->target = receipt.batch.empty() ? ids.front().text() : receipt.batch;
    key->members = receipt.ids;
  }
  std::vector<store::Fresh> fresh;
  std::vector<LivePointer> lives;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& submission = order.submissions[i];
    Ticket ticket{ids[i], order.caller, weight_of(submission.program)};
    auto place = entering.enter(ticket);
    if (!place) co_return fail(std::move(place.error()));
    auto record = record_of(submission, order.caller, ids[i], now);
    record.batch = receipt.batch;
    store::Fresh row{record, std::nullopt};
    if (*place == Admission::Place::queued) row.waiting = pack(submission, order.caller);
    auto live = std::make_shared<Live>(executor_, std::move(submission), record);
    live->ticket = std::move(ticket);
    if (auto& lease = (*workspaces)[i]) live->workspace.emplace(std::move(*lease));
    live->place = *place == Admission::Place::running ? Live::Place::running : Live::Place::queued;
    live->on_disk = row.waiting.has_value();
    fresh.push_back(std::move(row));
    lives.push_back(std::move(live));
    receipt.records.push_back(std::move(record));
  }
  // While verdicts can not be stored nothing begins that has not got its row first.
  bool told_at_the_end = order.told == Order::Told::verdict && !key && lives.size() == 1 &&
                         lives.front()->place == Live::Place::running && unstored_ == 0;
  if (told_at_the_end) {
    lives.front()->row = Live::Row::none;
    housekeeping_.spawn("row of an execution", write_row(lives.front()));
  } else {
    auto earlier = co_await store::insert(database_, std::move(fresh), key, now);
    if (earlier) co_return co_await already_done(order, std::move(*earlier));
  }
  entering.keep();
  for (auto& live : lives) accept(std::move(live));
  ++version_;
  changed_.notify();
  pump();
  co_return receipt;
}

void Executions::accept(LivePointer live) {
  live_.emplace(live->record.id, live);
  if (++counters_.submitted % retain_every == 0) start_retention();
  if (live->place == Live::Place::running) {
    begin(std::move(live));
  } else {
    admission_.line_up(live->ticket);
  }
}

/// What takes longer can be looked up meanwhile, and is known after a crash.
async::task<void> Executions::write_row(LivePointer live) {
  co_await async::pause(row_pause);
  if (live->row != Live::Row::none) co_return;
  live->row = Live::Row::being_written;
  std::vector<store::Fresh> fresh;
  fresh.push_back({live->record, std::nullopt});
  auto now = settings_.clock.now();
  auto written =
      co_await async::attempt(store::insert(database_, std::move(fresh), std::nullopt, now));
  if (!written) log::warn("{}", written.error().sentence());
  live->row = written ? Live::Row::written : Live::Row::none;
  live->changed.notify();
}

async::task<Result<Receipt>> Executions::already_done(const Order& order,
                                                      store::Repeatable earlier) {
  if (earlier.fingerprint != order.key->fingerprint) {
    co_return fail(ErrorKind::conflict, "idempotency_key_reused",
                   fmt::format("cannot take the program: the Idempotency-Key '{}' came with "
                               "something else before",
                               order.key->key),
                   "send a new key with a new request");
  }
  Receipt receipt;
  receipt.done = Receipt::Done::before;
  if (order.kind == Order::Kind::single) {
    auto record = co_await find(ExecutionId{earlier.target}, Reach::everybodys());
    if (!record) co_return fail(std::move(record.error()));
    receipt.ids.push_back(record->id);
    receipt.records.push_back(std::move(*record));
    co_return receipt;
  }
  constexpr int page_max = 200;
  auto page = co_await list({.limit = page_max, .batch = earlier.target}, Reach::everybodys());
  receipt.batch = std::move(earlier.target);
  receipt.records = std::move(page.items);
  std::ranges::reverse(receipt.records);
  receipt.ids = std::move(earlier.members);
  if (receipt.ids.empty()) {
    for (const auto& record : receipt.records) receipt.ids.push_back(record.id);
  }
  co_return receipt;
}

async::task<void> Executions::start() {
  co_await store::migrate(database_);
  auto ended = co_await store::end_unfinished(database_, settings_.clock.now(),
                                              "the server stopped before the program had ended");
  if (ended > 0) log::warn("{} executions were cut off by the server's last stop", ended);
  co_await workspaces_.remove_drafts();
  co_await restore_waiting();
  co_await files_.keep_only(co_await store::with_files(database_));
  housekeeping_.spawn("retention", keep_house());
  pump();
}

async::task<void> Executions::restore_waiting() {
  auto waiting = co_await store::waiting(database_);
  for (auto& one : waiting) {
    auto unpacked = unpack(one.packed);
    auto [submission, caller] = unpacked.value_or(Unpacked{});
    if (caller.user.empty()) caller.user = one.record.owner;
    auto weight = weight_of(submission.program);
    auto live = std::make_shared<Live>(executor_, std::move(submission), std::move(one.record));
    live->on_disk = true;
    live_.emplace(live->record.id, live);
    if (!unpacked) {
      sandbox::Outcome outcome{{.verdict = sandbox::Verdict::infrastructure_error,
                                .message = unpacked.error().sentence(),
                                .error_code = unpacked.error().code}};
      co_await finish(live, std::move(outcome), nullptr);
      continue;
    }
    live->ticket = {live->record.id, std::move(caller), weight};
    live->place = Live::Place::queued;
    admission_.restore(live->ticket);
    // What fails here is tried again at its turn, and is its verdict then.
    (void)co_await async::attempt(borrow_workspace(*live));
  }
  if (!waiting.empty()) log::info("{} programs have waited for this start", waiting.size());
}

}  // namespace gantry::executions
