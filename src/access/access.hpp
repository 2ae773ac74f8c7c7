#pragma once

#include "access/attempts.hpp"
#include "access/audit_store.hpp"
#include "access/identity.hpp"
#include "access/link_store.hpp"
#include "access/oidc.hpp"
#include "access/password.hpp"
#include "access/refusals.hpp"
#include "access/rights.hpp"
#include "access/session_store.hpp"
#include "access/token_store.hpp"
#include "access/totp_store.hpp"
#include "access/user_store.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "async/workers.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/sealer.hpp"
#include "base/secret.hpp"
#include "storage/database.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Who may come in, by what, and what they did: users, sessions, API tokens, the audit log.
namespace gantry::access {

/// Somebody who has just signed in.
struct SignedIn {
  Identity identity;
  Secret cookie;        ///< the session's value: goes into the cookie and nowhere else
  WallTime expires_at;  ///< the latest: 30 days; a session unused for 7 days ends before
  /// Tells later that this browser has signed in as this user: other people's failures do not keep
  /// it out. Opens nothing by itself.
  Secret device;
};

/// What else somebody brings who signs in; each may be empty.
struct Brought {
  std::string agent;   ///< What their browser calls itself.
  std::string code;    ///< Of the second factor: six digits, or a recovery code.
  std::string device;  ///< SignedIn::device of an earlier time.
};

/// What an authenticator needs to know.
struct Enrolment {
  Secret secret;  ///< In base32, to be typed.
  Secret uri;     ///< `otpauth://totp/…`, to be shown as a QR code.
};

/// A session, as it is listed.
struct Session {
  SessionId id;
  std::string address;  ///< Where the user signed in from.
  std::string agent;    ///< What their browser called itself.
  WallTime created_at;
  WallTime last_used_at;  ///< To the minute.
};

struct NewUser {
  std::string name;
  Secret password;
  Role role = Role::viewer;
};

struct NewToken {
  std::string name;
  Role role = Role::viewer;
  Scopes scopes;
  std::optional<WallTime> expires_at;
  TokenLimits limits = {};
  /// With names of hosts; empty: all that its user may see.
  std::vector<Grant> grants = {};
};

struct MadeToken {
  Secret text;  ///< shown once; only its hash is kept
  Token token;
};

/// How grants find their hosts, which belong to another folder: by ids in tables, because a name
/// may be given to another host later. Without these a host's name counts as its id.
struct HostNames {
  std::function<std::optional<std::string>(const std::string& id)> name_of;
  std::function<std::optional<std::string>(const std::string& name)> id_of;
};

/// Makes or updates all tables of this folder.
async::task<void> migrate(storage::Database& database);

/// All users, sessions and tokens are held in memory beside their rows (at most 1,000 users, 32
/// sessions and 100 tokens each), so that knowing who asks costs no round trip, and a revocation
/// holds from the next request on. Belongs to the event loop.
class Access {
 public:
  struct Settings {
    Clock clock;
    password::Cost password_cost;
    Sealer sealer;  ///< Of second factors, and of what browsers keep for us.
  };

  Access(async::Executor executor, storage::Database& database, Settings settings);
  ~Access();

  /// Brings the tables up to date and loads them.
  async::task<void> start();
  /// Ends background writes. Call before the destructor.
  async::task<void> close();
  /// To be called once, before the first request.
  void name_hosts(HostNames names) { host_names_ = std::move(names); }

  // The owner, once.

  /// Whether there is nobody yet who could sign in.
  bool setup_needed() const { return users_.empty(); }
  /// A new secret, valid for 24 hours, in the place of any earlier one; nothing when there is an
  /// owner. Only its hash stays in memory.
  std::optional<Secret> renew_setup_secret();
  /// The first admin. Refused: `already_set_up` (conflict), `bad_setup_secret` (denied),
  /// `invalid_field`. Of many at once exactly one succeeds.
  async::task<Result<SignedIn>> create_owner(Secret secret, std::string name, Secret password,
                                             std::string address, Brought brought = {});

  // Sessions.

  /// Refused: `bad_credentials` (unauthenticated; the same for an unknown name and a wrong
  /// password), `user_disabled`, `totp_required` and `bad_code` (unauthenticated; only with the
  /// right password), `too_many_attempts` (exhausted; `retry_after` tells when), `workers_busy`.
  ///
  /// Ten failures in ten minutes close a name and an address. An owner is not locked out by that:
  /// who is signed in from an address keeps it, and a browser that has signed in before is counted
  /// by itself (`Brought::device`).
  async::task<Result<SignedIn>> sign_in(std::string name, Secret password, std::string address,
                                        Brought brought = {});
  /// Somebody whom an identity provider vouches for: the user that is linked with issuer and
  /// subject, or a new one. Never one who only has the same name. The role is the provider's, but
  /// for the last admin. Refused: `user_disabled` (unauthenticated), `too_many_users`,
  /// `signed_in_twice` (conflict).
  async::task<Result<SignedIn>> sign_in_elsewhere(Vouched vouched, std::string address,
                                                  std::string agent);
  /// How long a name, an address and a device must wait before the next attempt; zero when they
  /// need not.
  Seconds retry_after(std::string_view name, std::string_view address,
                      std::string_view device = {}) const;
  /// Ends the session behind this identity; nothing to do for tokens.
  async::task<void> sign_out(Identity identity);
  std::vector<Session> sessions(const UserId& user) const;  ///< The one used last first.
  /// One's own, or as an admin anybody's. Refused: `no_such_session`.
  async::task<Result<>> end_session(Identity by, UserId user, SessionId id);

  // The second factor of those who sign in with a password.

  bool has_totp(const UserId& user) const { return factors_.contains(user); }
  /// A new secret, good for ten minutes. Refused: `session_required` and `no_password` (denied),
  /// `totp_active` (conflict).
  Result<Enrolment> begin_totp(const Identity& by);
  /// With the first code and the password (whoever has come by a session has not that) the factor
  /// counts; answers ten recovery codes, shown once, each good for one sign-in. Refused:
  /// `session_required`, `bad_code`, `bad_credentials` (denied), `too_many_attempts`,
  /// `no_enrolment` (conflict).
  async::task<Result<std::vector<Secret>>> confirm_totp(Identity by, std::string code,
                                                        Secret password);
  /// One's own with the password (`bad_credentials`, `too_many_attempts`, `session_required`),
  /// anybody else's as `change_password`. Refused besides: `no_totp`.
  async::task<Result<>> remove_totp(Identity by, UserId id, Secret password);

  // Who asks. These cost a hash and a look-up in memory.

  /// `bad_session` (unauthenticated) for anything but a living session's cookie value.
  Result<Identity> by_session(std::string_view cookie);
  /// The value of `Authorization: Bearer`: an API token or the local one. `bad_token`
  /// (unauthenticated) for anything else, `user_disabled` for a token of somebody who is.
  Result<Identity> by_token(std::string_view bearer);
  /// Whether what let this identity in still does, with the same role and scopes: for streams
  /// that outlive the request that opened them.
  bool still_valid(const Identity& identity) const;
  /// Made at each start, admin, never stored here; `main` leaves it in the data directory.
  const Secret& local_token() const { return local_token_; }

  /// What this identity may see and do on which hosts, as of now: not to be kept for later.
  Rights rights(const Identity& identity) const;

  // Users; `by` is who asks for it, and is in the audit log.

  std::vector<User> users() const;  ///< by name
  std::optional<User> user(const UserId& id) const;
  /// `by` must be an admin with all scopes and no limits, because the new user has all of it.
  /// Refused: `role_too_low`, `scope_missing`, `token_limited`, `invalid_field`, `already_exists`,
  /// `too_many_users`.
  async::task<Result<User>> create_user(Identity by, NewUser wanted);
  /// With their sessions and tokens. Refused: `no_such_user`, `last_admin`.
  async::task<Result<>> remove_user(Identity by, UserId id);
  /// Ends the user's sessions; tokens keep at most the new role. Takes what `create_user` takes;
  /// refused as `remove_user`.
  async::task<Result<>> set_role(Identity by, UserId id, Role role);
  /// Who is disabled has no sessions, and their tokens open nothing until they are active again.
  /// Takes what `create_user` takes; refused as `remove_user`.
  async::task<Result<>> set_standing(Identity by, UserId id, Standing standing);
  /// Ends the user's other sessions. One's own change needs `current` (`bad_credentials`,
  /// `too_many_attempts`); an admin with all scopes sets anybody else's without it.
  async::task<Result<>> change_password(Identity by, UserId id, Secret current, Secret next);
  /// How long a user must wait before trying the current password again; zero when they need not.
  Seconds password_retry_after(const UserId& id) const;

  /// What restricts the user to some hosts, with names for ids; empty: the role holds everywhere.
  /// A grant of a host that is gone has neither group nor host, and still restricts.
  std::vector<Grant> grants(const UserId& id) const;
  /// In the place of all earlier ones. Takes what `create_user` takes. Refused: `no_such_user`,
  /// `invalid_field` (an unknown host, a role above the user's own, more than 100).
  async::task<Result<>> set_grants(Identity by, UserId id, std::vector<Grant> grants);

  // API tokens of the user who asks.

  std::vector<Token> tokens(const UserId& user) const;  ///< newest first
  /// What restricts a token besides what restricts its user, as `grants` of a user tells it; empty:
  /// nothing does.
  std::vector<Grant> grants(const TokenId& id) const;
  /// Refused: `invalid_field`; `denied` for a role or scopes that `by` does not have, for a token
  /// with limits or grants (`token_limited`), and for How::local, which has no user;
  /// `too_many_tokens`. What the limits mean, and whether `by` sees what the grants name, is the
  /// caller's to judge before.
  async::task<Result<MadeToken>> create_token(Identity by, NewToken wanted);
  /// `no_such_token` for another user's, unless an admin asks.
  async::task<Result<>> revoke_token(Identity by, TokenId id);

  // The audit log. Entries of other folders' changes go through audit::append in their own
  // transaction; these are for the rest.

  async::task<void> record(AuditEntry entry);
  /// Refused: `invalid_cursor`.
  async::task<Result<AuditPage>> audit_page(int limit, std::string cursor, AuditFilter filter = {});
  async::task<AuditCheck> verify_audit();
  /// The records that follow `sequence`, oldest first, at most a thousand; none at the end.
  async::task<std::vector<AuditRecord>> audit_after(std::int64_t sequence);

 private:
  /// A second factor that no code has confirmed yet.
  struct Pending {
    Secret secret;
    WallTime at;
  };

  WallTime now() const { return settings_.clock.now(); }
  bool alive(const SessionRow& session) const;
  bool active(const UserId& user) const;
  const UserRow* account_named(std::string_view name) const;
  /// Whether the user is signed in from this address already.
  bool knows(const UserId& user, std::string_view address) const;
  /// Who counts the failures of an attempt: the device that is known to be this user's, else name
  /// and address.
  struct Gate {
    std::string device;  ///< Its digest; empty: it is not known.
    std::string name;
    std::string address;
  };
  Gate gate(std::string_view name, std::string_view address, std::string_view device) const;
  void begin(const Gate& gate);
  void withdraw(const Gate& gate);
  void forgive(const Gate& gate);
  Secret make_device(const UserId& user) const;
  /// Refused as sign_in does for the second factor.
  async::task<Result<>> check_factor(User user, std::string code, std::string address);
  /// Longest unused first.
  std::vector<SessionId> sessions_of(const UserId& user) const;
  Identity identity_of(const SessionRow& session) const;
  Identity identity_of(const TokenRow& row) const;
  Result<> may_set_up(const Secret& secret) const;

  async::task<Result<UserRow>> insert_owner(UserRow owner, Secret password, std::string address);
  /// `verified_hash`: what the password was checked against.
  async::task<Result<SignedIn>> begin_session(UserId user, std::string verified_hash,
                                              std::string address, std::string agent);
  /// Takes as long without a stored hash, for a user who does not exist.
  async::task<password::Match> check_password(std::optional<std::string> stored, Secret password);
  std::vector<Grant> with_host_names(std::vector<Grant> grants) const;
  /// Refused by the field of `array` that is wrong.
  Result<std::vector<Grant>> with_host_ids(std::vector<Grant> grants, std::string_view array,
                                           Role role_max) const;
  std::string free_name(std::string_view wanted) const;
  async::task<Result<UserId>> adopt(const Vouched& vouched);
  async::task<Result<>> follow_role(User known, Role role);
  async::task<void> record_refusal(std::string name, std::string outcome, std::string address);
  Result<Pending> enrolment_of(const UserId& user) const;
  async::task<Result<>> own_password(UserId user, Secret password);
  async::task<std::string> hash_password(Secret password);
  async::task<void> write_session_use(SessionId id, WallTime at);
  async::task<void> write_token_use(TokenId id, WallTime at);

  storage::Database& database_;
  Settings settings_;
  std::map<UserId, UserRow> users_;
  std::unordered_map<SessionId, SessionRow> sessions_;
  std::map<TokenId, TokenRow> tokens_;
  std::unordered_map<std::string, TokenId> token_by_digest_;
  std::map<UserId, std::vector<Grant>> grants_;  ///< With ids of hosts; no entry: everywhere.
  std::map<TokenId, std::vector<Grant>> token_grants_;  ///< No entry: nothing besides the user's.
  HostNames host_names_;
  std::map<UserId, SecondFactor> factors_;
  std::map<link_store::Outside, UserId> links_;
  std::map<UserId, Pending> enrolments_;
  Attempts by_name_;
  Attempts by_address_;
  Attempts by_device_;
  Refusals refusals_;
  std::optional<std::string> setup_digest_;
  WallTime setup_expires_at_;
  bool setting_up_ = false;
  Secret local_token_;
  async::Workers hashing_;
  async::TaskScope writes_;
};

}  // namespace gantry::access
