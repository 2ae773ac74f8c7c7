// Access: how people come in: the owner's first time, passwords, sessions.
#include "access/access.hpp"
#include "access/credential.hpp"
#include "access/user_name.hpp"
#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr Milliseconds setup_secret_age_max = std::chrono::hours{24};
constexpr std::size_t sessions_per_user_max = 32;
constexpr std::size_t agent_bytes_max = 200;
constexpr std::size_t device_bytes = 16;
constexpr std::size_t device_text_max = 256;

/// True while it lives, however its coroutine ends.
class Engaged {
 public:
  explicit Engaged(bool& flag) : flag_{flag} { flag_ = true; }
  ~Engaged() { flag_ = false; }
  Engaged(const Engaged&) = delete;
  Engaged& operator=(const Engaged&) = delete;

 private:
  bool& flag_;
};

std::unexpected<Error> bad_credentials() {
  return fail(ErrorKind::unauthenticated, "bad_credentials",
              "cannot sign in: name and password do not belong together",
              "check both, or ask an admin for a new password");
}

std::unexpected<Error> already_set_up() {
  return fail(ErrorKind::conflict, "already_set_up", "cannot create the owner: this server has one",
              "sign in");
}

/// A device is known until the password changes.
std::string device_context(const UserRow& row) {
  return fmt::format("device {} {}", row.user.id.text(), credential::digest(row.password_hash));
}

}  // namespace

std::optional<Secret> Access::renew_setup_secret() {
  if (!setup_needed()) return std::nullopt;
  auto secret = credential::make();
  setup_digest_ = credential::digest(secret.reveal());
  setup_expires_at_ = now() + setup_secret_age_max;
  return secret;
}

Result<> Access::may_set_up(const Secret& secret) const {
  if (!setup_needed()) return already_set_up();
  bool right = setup_digest_ && now() < setup_expires_at_ &&
               credential::same(*setup_digest_, credential::digest(secret.reveal()));
  if (right) return ok;
  return fail(ErrorKind::denied, "bad_setup_secret",
              "cannot create the owner: the secret is not the one of the setup link, or is older "
              "than a day",
              "restart gantry and open the link it prints");
}

async::task<Result<SignedIn>> Access::create_owner(Secret secret, std::string name, Secret password,
                                                   std::string address, Brought brought) {
  if (auto allowed = may_set_up(secret); !allowed) co_return fail(allowed.error());
  auto user_name = parse_user_name(name);
  if (!user_name) co_return fail(user_name.error());
  if (auto fit = password::check_new(password); !fit) co_return fail(fit.error());
  if (setting_up_) co_return already_set_up();  // somebody else is at it, this moment
  Engaged engaged{setting_up_};
  UserRow owner{.user = {.id = UserId{random::sortable_id(now().time_since_epoch().count())},
                         .name = std::move(*user_name),
                         .role = Role::admin,
                         .created_at = now()}};
  auto made = co_await insert_owner(std::move(owner), std::move(password), address);
  if (!made) co_return fail(made.error());
  setup_digest_.reset();
  co_return co_await begin_session(made->user.id, made->password_hash, std::move(address),
                                   std::move(brought.agent));
}

async::task<Result<UserRow>> Access::insert_owner(UserRow owner, Secret password,
                                                  std::string address) {
  owner.password_hash = co_await hash_password(std::move(password));
  auto added = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (user_store::count(transaction) != 0) return already_set_up();
        user_store::add(transaction, owner);
        audit::append(transaction,
                      {.actor = owner.user.name,
                       .action = "owner.create",
                       .target = owner.user.id.text(),
                       .outcome = "ok",
                       .details = json::serialize(json::Object{{"address", address}})},
                      at);
        return ok;
      });
  if (!added) co_return fail(added.error());
  users_.emplace(owner.user.id, owner);
  co_return owner;
}

Access::Gate Access::gate(std::string_view name, std::string_view address,
                          std::string_view device) const {
  Gate gate{.device = {}, .name = text::lowered(name), .address = network_of(address)};
  const auto* account = account_named(name);
  if (account == nullptr || device.empty() || device.size() > device_text_max) return gate;
  auto sealed = encoding::from_hex(device);
  if (!sealed) return gate;
  auto opened = settings_.sealer.open(*sealed, device_context(*account));
  if (!opened) return gate;
  // Never of its text: the same bytes have many spellings, and each would have attempts of its own.
  gate.device = credential::digest(opened->reveal());
  return gate;
}

Secret Access::make_device(const UserId& user) const {
  const auto& row = users_.find(user)->second;
  auto sealed = settings_.sealer.seal(random::bytes(device_bytes), device_context(row));
  return Secret{encoding::hex(sealed)};
}

void Access::begin(const Gate& gate) {
  if (!gate.device.empty()) return by_device_.begin(gate.device, now());
  by_name_.begin(gate.name, now());
  by_address_.begin(gate.address, now());
}

void Access::withdraw(const Gate& gate) {
  if (!gate.device.empty()) return by_device_.withdraw(gate.device);
  by_name_.withdraw(gate.name);
  by_address_.withdraw(gate.address);
}

void Access::forgive(const Gate& gate) {
  if (!gate.device.empty()) return by_device_.forgive(gate.device);
  by_name_.forgive(gate.name);
  by_address_.withdraw(gate.address);
}

Seconds Access::retry_after(std::string_view name, std::string_view address,
                            std::string_view device) const {
  auto counted = gate(name, address, device);
  if (!counted.device.empty()) return by_device_.wait(counted.device, now());
  auto wait = by_address_.wait(counted.address, now());
  // Guesses from elsewhere must not lock somebody out of the place they are signed in from.
  const auto* account = account_named(name);
  if (account != nullptr && knows(account->user.id, address)) return wait;
  return std::max(wait, by_name_.wait(counted.name, now()));
}

bool Access::knows(const UserId& user, std::string_view address) const {
  return std::ranges::any_of(sessions_, [&](const auto& entry) {
    return entry.second.user == user && entry.second.address == address && alive(entry.second);
  });
}

async::task<password::Match> Access::check_password(std::optional<std::string> stored,
                                                    Secret password) {
  co_return co_await hashing_.run([&] {
    if (stored) return password::verify(password, *stored);
    password::waste(password, settings_.password_cost);
    return password::Match::no;
  });
}

async::task<Result<SignedIn>> Access::sign_in(std::string name, Secret password,
                                              std::string address, Brought brought) {
  // Nothing longer than a password can be reaches the hash.
  if (password.empty() || password.reveal().size() > password::bytes_max ||
      name.size() > user_name_bytes_max) {
    co_return bad_credentials();
  }
  if (auto wait = retry_after(name, address, brought.device); wait > Seconds{0}) {
    co_return fail(ErrorKind::exhausted, "too_many_attempts",
                   "cannot sign in: too many attempts have failed",
                   fmt::format("try again in {} s", wait.count()));
  }
  auto counted = gate(name, address, brought.device);
  begin(counted);
  const auto* account = account_named(name);
  std::optional<UserRow> row;
  if (account != nullptr) row = *account;
  // Who has no password signs in elsewhere; that must not show either.
  bool has_password = row && !row->password_hash.empty();
  auto stored = has_password ? std::optional{row->password_hash} : std::nullopt;
  if (co_await check_password(stored, std::move(password)) == password::Match::no) {
    co_await record_refusal(name, "bad_credentials", address);
    co_return bad_credentials();
  }
  if (row->user.standing == Standing::disabled) {
    forgive(counted);
    co_await record_refusal(row->user.name, "user_disabled", address);
    co_return fail(ErrorKind::unauthenticated, "user_disabled",
                   fmt::format("cannot sign in: user '{}' is disabled", row->user.name),
                   "ask an admin");
  }
  auto second = co_await check_factor(row->user, std::move(brought.code), address);
  if (!second) {
    // A wrong code counts as a failure; to be asked for one does not.
    if (second.error().code == "totp_required") withdraw(counted);
    co_return fail(std::move(second.error()));
  }
  forgive(counted);
  co_return co_await begin_session(row->user.id, row->password_hash, std::move(address),
                                   std::move(brought.agent));
}

async::task<void> Access::record_refusal(std::string name, std::string outcome,
                                         std::string address) {
  auto told = refusals_.note(name, address, outcome, now());
  if (!told) co_return;
  json::Object details{{"address", address}};
  if (told->count > 1) details["count"] = told->count;
  // Many names from many places: the last of them stands for all.
  if (told->about == Refusals::Told::About::others) details["others"] = true;
  co_await record({.actor = name,
                   .action = "session.create",
                   .target = name,
                   .outcome = std::move(outcome),
                   .details = json::serialize(details)});
}

async::task<Result<SignedIn>> Access::begin_session(UserId user, std::string verified_hash,
                                                    std::string address, std::string agent) {
  auto cookie = credential::make();
  auto digest = credential::digest(cookie.reveal());
  SessionRow session{.id = session_id(digest),
                     .digest = digest,
                     .user = user,
                     .address = std::move(address),
                     .created_at = now(),
                     .last_used_at = now(),
                     .agent = text::shortened(text::one_line(agent), agent_bytes_max)};
  auto old = sessions_of(user);
  old.resize(old.size() >= sessions_per_user_max ? old.size() - sessions_per_user_max + 1 : 0);
  auto known = users_.find(user);
  if (known == users_.end()) co_return bad_credentials();  // removed while the hash was at work
  auto name = known->second.user.name;
  auto added = co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    session_store::prune(transaction, session.created_at);
    for (const auto& id : old) session_store::remove(transaction, id);
    if (session_store::add(transaction, session, verified_hash) != session_store::Added::yes) {
      return session_store::Added::user_changed;
    }
    audit::append(transaction,
                  {.actor = name,
                   .action = "session.create",
                   .target = session.id.text(),
                   .outcome = "ok",
                   .details = json::serialize(json::Object{{"address", session.address}})},
                  session.created_at);
    return session_store::Added::yes;
  });
  std::erase_if(sessions_, [&](const auto& entry) { return !alive(entry.second); });
  // Removed, or given another password, since the password was checked.
  if (added != session_store::Added::yes || !users_.contains(user)) co_return bad_credentials();
  for (const auto& id : old) sessions_.erase(id);
  auto latest = session.created_at + session_age_max;
  auto identity = identity_of(session);
  sessions_.emplace(session.id, std::move(session));
  co_return SignedIn{.identity = std::move(identity),
                     .cookie = std::move(cookie),
                     .expires_at = latest,
                     .device = make_device(user)};
}

async::task<void> Access::sign_out(Identity identity) {
  if (identity.how != How::session) co_return;
  SessionId id{identity.credential};
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    session_store::remove(transaction, id);
    audit::append(transaction,
                  {.actor = identity.name,
                   .action = "session.end",
                   .target = id.text(),
                   .outcome = "ok",
                   .details = {}},
                  at);
  });
  sessions_.erase(id);
}

std::vector<Session> Access::sessions(const UserId& user) const {
  std::vector<Session> sessions;
  for (const auto& [id, row] : sessions_) {
    if (row.user != user || !alive(row)) continue;
    sessions.push_back({.id = id,
                        .address = row.address,
                        .agent = row.agent,
                        .created_at = row.created_at,
                        .last_used_at = row.last_used_at});
  }
  std::ranges::sort(sessions, std::greater{}, [](const Session& session) {
    return std::pair{session.last_used_at, session.id};
  });
  return sessions;
}

async::task<Result<>> Access::end_session(Identity by, UserId user, SessionId id) {
  auto found = sessions_.find(id);
  bool seen = found != sessions_.end() && found->second.user == user &&
              (by.user == user || by.at_least(Role::admin));
  if (!seen) {
    co_return fail(
        ErrorKind::not_found, "no_such_session",
        fmt::format("cannot find session '{}'", text::shortened(text::one_line(id.text()), 64)));
  }
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    session_store::remove(transaction, id);
    audit::append(transaction, {by.name, "session.end", id.text(), "ok", {}}, at);
  });
  sessions_.erase(id);
  co_return ok;
}

}  // namespace gantry::access
