// Access: the second factor of users who want one, and the way in without it.
#include "access/access.hpp"
#include "access/credential.hpp"
#include "access/manage.hpp"
#include "access/totp.hpp"
#include "base/json.hpp"
#include "base/random.hpp"

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr Milliseconds enrolment_max = std::chrono::minutes{10};
constexpr std::size_t recovery_codes = 10;
constexpr std::size_t recovery_group = 5;

std::string context_of(const UserId& user) { return fmt::format("totp {}", user.text()); }

std::unexpected<Error> bad_code(ErrorKind kind) {
  return fail(kind, "bad_code", "cannot accept this code: it is wrong, or was used before",
              "wait for the next one, and check the clocks of this machine and of yours");
}

std::unexpected<Error> session_required() {
  return fail(ErrorKind::denied, "session_required",
              "cannot change the second factor with a token: that takes a session",
              "sign in with name and password");
}

/// As they are compared: without what people type for their eyes.
std::string recovery_form(std::string_view code) {
  std::string form;
  for (char c : code) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) form += c;
  }
  return form;
}

/// 77 bits: `f3k9a-0qz7m-r1c5x`.
std::string make_recovery_code() {
  auto word = random::word(3 * recovery_group);
  return fmt::format("{}-{}-{}", word.substr(0, recovery_group),
                     word.substr(recovery_group, recovery_group), word.substr(2 * recovery_group));
}

}  // namespace

Result<Enrolment> Access::begin_totp(const Identity& by) {
  if (by.how != How::session) return session_required();
  auto account = users_.find(by.user);
  if (account == users_.end()) return no_such_user(by.user);
  if (account->second.password_hash.empty()) {
    return fail(ErrorKind::denied, "no_password",
                "cannot add a second factor: you sign in elsewhere, without a password here",
                "add it there");
  }
  if (has_totp(by.user)) {
    return fail(ErrorKind::conflict, "totp_active",
                "cannot add a second factor: there is one already", "remove it first");
  }
  std::erase_if(enrolments_,
                [&](const auto& entry) { return now() - entry.second.at >= enrolment_max; });
  auto secret = totp::make_secret();
  enrolments_.insert_or_assign(by.user, Pending{secret, now()});
  return Enrolment{.secret = Secret{totp::text(secret)},
                   .uri = Secret{totp::uri(account->second.user.name, secret)}};
}

Result<Access::Pending> Access::enrolment_of(const UserId& user) const {
  auto pending = enrolments_.find(user);
  if (pending != enrolments_.end() && now() - pending->second.at < enrolment_max) {
    return pending->second;
  }
  return fail(ErrorKind::conflict, "no_enrolment",
              "cannot confirm a second factor: none was begun in the last ten minutes",
              "begin again");
}

async::task<Result<std::vector<Secret>>> Access::confirm_totp(Identity by, std::string code,
                                                              Secret password) {
  if (by.how != How::session) co_return session_required();
  auto begun = enrolment_of(by.user);
  if (!begun) co_return fail(begun.error());
  auto step = totp::match(begun->secret, code, now(), 0);
  if (!step) co_return bad_code(ErrorKind::denied);
  auto right = co_await own_password(by.user, std::move(password));
  if (!right) co_return fail(right.error());
  // Another may have been begun, or this one confirmed, while the hash was at work.
  auto still = enrolment_of(by.user);
  if (!still) co_return fail(still.error());
  if (still->at != begun->at) co_return bad_code(ErrorKind::denied);
  SecondFactor factor{.sealed = settings_.sealer.seal(begun->secret.reveal(), context_of(by.user)),
                      .last_step = *step,
                      .recovery_digests = {}};
  enrolments_.erase(by.user);
  std::vector<Secret> codes;
  for (std::size_t i = 0; i < recovery_codes; ++i) {
    codes.emplace_back(make_recovery_code());
    factor.recovery_digests.insert(credential::digest(recovery_form(codes.back().reveal())));
  }
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    totp_store::put(transaction, by.user, factor);
    audit::append(transaction, {by.name, "user.enable_totp", by.user.text(), "ok", {}}, at);
  });
  factors_.insert_or_assign(by.user, std::move(factor));
  co_return codes;
}

async::task<Result<>> Access::remove_totp(Identity by, UserId id, Secret password) {
  bool own = by.user == id;
  if (own && by.how != How::session) co_return session_required();
  if (!own) {
    if (auto may = may_hand_out_rights(by); !may) co_return may;
  }
  if (!users_.contains(id)) co_return no_such_user(id);
  if (!has_totp(id)) {
    co_return fail(ErrorKind::not_found, "no_totp",
                   "cannot remove the second factor: there is none");
  }
  if (own) {
    auto right = co_await own_password(id, std::move(password));
    if (!right) co_return right;
  }
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    totp_store::remove(transaction, id);
    audit::append(transaction, {by.name, "user.disable_totp", id.text(), "ok", {}}, at);
  });
  factors_.erase(id);
  co_return ok;
}

async::task<Result<>> Access::check_factor(User user, std::string code, std::string address) {
  auto found = factors_.find(user.id);
  if (found == factors_.end()) co_return ok;
  if (code.empty()) {
    co_return fail(ErrorKind::unauthenticated, "totp_required",
                   "cannot sign in yet: this user has a second factor",
                   "send 'code', too: of the authenticator, or a recovery code");
  }
  auto& factor = found->second;
  auto secret = settings_.sealer.open(factor.sealed, context_of(user.id));
  auto step = secret ? totp::match(*secret, code, now(), factor.last_step) : std::nullopt;
  if (step) {
    factor.last_step = *step;  // before any wait: of two with the same code one gets in
    co_await storage::transact(database_, [&](storage::Transaction& transaction) {
      totp_store::set_last_step(transaction, user.id, *step);
    });
    co_return ok;
  }
  auto details = json::serialize(json::Object{{"address", address}});
  auto digest = credential::digest(recovery_form(code));
  if (factor.recovery_digests.erase(digest) == 1) {
    co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
      totp_store::remove_recovery(transaction, user.id, digest);
      audit::append(transaction,
                    {user.name, "user.use_recovery_code", user.id.text(), "ok", details}, at);
    });
    co_return ok;
  }
  co_await record({user.name, "session.create", user.name, "bad_code", details});
  co_return bad_code(ErrorKind::unauthenticated);
}

}  // namespace gantry::access
