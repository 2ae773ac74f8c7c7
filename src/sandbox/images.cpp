#include "sandbox/images.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr Milliseconds pull_max{15 * 60'000};
constexpr std::size_t refusals_max = 256;
constexpr std::size_t pulls_max = 8;
// A registry that stumbles gets another chance; one whose image we can make ourselves does not.
constexpr int tries_max = 3;
constexpr Milliseconds longest_retry{8'000};

std::string progress_line(const std::string& reference, const engine::PullProgress& progress) {
  auto line = fmt::format("pulling {}: {}", reference, text::one_line(progress.status));
  if (!progress.layer.empty()) line += fmt::format(" {}", text::one_line(progress.layer));
  if (progress.total_bytes > 0) {
    line += fmt::format(" {}%", progress.current_bytes * 100 / progress.total_bytes);
  }
  return text::shortened(line, 200);
}

/// Whether a name is one that only `gantry images make` gives: whoever has it in a registry is
/// somebody else.
bool is_made_here(const std::string& reference) {
  auto parsed = engine::ImageReference::parse(reference);
  return parsed && parsed->familiar().starts_with("gantry/");
}

/// Where the engine's general words for a refusal do not tell that it was a pull, the code does.
void name_as_pull(Error& error) {
  constexpr std::array<std::string_view, 5> general{"engine_failed", "engine_not_found",
                                                    "engine_denied", "engine_invalid", "timed_out"};
  if (std::ranges::find(general, error.code) != general.end()) error.code = "image_pull_failed";
}

}  // namespace

ImageAliases default_aliases() {
  return {{"python:3.11-alpine", "gantry/python:latest"},
          {"node:20-alpine", "gantry/node:latest"},
          {"alpine:latest", "gantry/sh:latest"},
          {"gcc:13", "gantry/gcc:latest"},
          {"golang:1.22-alpine", "gantry/go:latest"},
          {"rust:1-alpine", "gantry/rust:latest"},
          {"eclipse-temurin:21", "gantry/java:latest"},
          {"ruby:3-alpine", "gantry/ruby:latest"},
          {"php:8-cli-alpine", "gantry/php:latest"},
          {"perl:5-slim", "gantry/perl:latest"},
          {"r-base:latest", "gantry/r:latest"}};
}

Images::Images(async::Executor executor, engine::Client& engine, ImageSettings settings)
    : executor_{executor}, engine_{engine}, settings_{std::move(settings)}, pulls_{executor} {}

async::task<Result<ServedImage>> Images::look_up(std::string reference) {
  auto details = co_await async::attempt(engine::inspect_image(engine_, reference));
  if (!details) co_return fail(details.error());
  co_return ServedImage{reference, details->id, details->volumes, details->env};
}

async::task<Result<ServedImage>> Images::resolve(std::string reference, Logins logins,
                                                 OnProgress progress) {
  auto wanted = engine::ImageReference::parse(reference);
  if (!wanted) co_return fail(wanted.error());
  auto allowed = settings_.rules.check(*wanted);
  if (!allowed) co_return fail(allowed.error());
  // What was judged is what is asked for: the engine would take some names for an image's id. Under
  // a rule that pins it, that is the content and no tag.
  auto served = co_await find(allowed->familiar(), logins, std::move(progress));
  if (served && settings_.on_use) settings_.on_use(served->name, ImageUse::served);
  co_return served;
}

async::task<Result<ServedImage>> Images::find(std::string reference, Logins logins,
                                              OnProgress progress) {
  auto present = co_await look_up(reference);
  if (present || present.error().kind != ErrorKind::not_found) co_return present;

  if (is_made_here(reference)) {
    co_return fail(
        ErrorKind::not_found, "image_not_made",
        fmt::format("cannot use image '{}': it has not been made on this engine", reference),
        "make it from this machine's packages with 'gantry images make'");
  }
  auto pulled = co_await pull(reference, logins, progress);
  if (pulled) co_return co_await look_up(reference);

  auto parsed = engine::ImageReference::parse(reference);
  const auto& aliases = settings_.aliases;
  auto alias = parsed ? aliases.find(parsed->familiar()) : aliases.end();
  if (alias == aliases.end()) co_return fail(pulled.error());
  auto substitute = co_await look_up(alias->second);
  if (substitute) {
    progress(fmt::format("'{}' can not be pulled; '{}' serves for it", reference, alias->second));
    co_return substitute;
  }
  auto error = pulled.error();
  error.remedy = fmt::format("make '{}' from this machine's packages with 'gantry images make'",
                             alias->second);
  co_return fail(error);
}

std::optional<engine::RegistryAuth> Images::login_for(const std::string& host,
                                                      Logins logins) const {
  if (logins == Logins::none || !settings_.find_login) return std::nullopt;
  return settings_.find_login(host);
}

async::task<Result<>> Images::pull(std::string reference, Logins logins, OnProgress progress) {
  auto parsed = engine::ImageReference::parse(reference);
  if (!parsed) co_return fail(parsed.error());
  auto used = login_for(parsed->domain(), logins) ? Logins::stored : Logins::none;
  if (auto may = settings_.rules.check_registry(*parsed, used); !may) co_return may;
  co_return co_await wait_for_pull({std::move(reference), used}, std::move(progress));
}

async::task<Result<>> Images::wait_for_pull(Wanted wanted, OnProgress progress) {
  if (auto known = refused_.find(wanted); known != refused_.end()) {
    if (steady_now() < known->second.until) co_return fail(known->second.error);
    refused_.erase(known);
  }
  auto found = running_.find(wanted);
  // A copy: the pull takes itself off the list when it ends, which may be at once.
  auto mine = found == running_.end() ? nullptr : found->second;
  if (!mine) {
    if (running_.size() >= pulls_max) {
      co_return fail(ErrorKind::exhausted, "too_many_pulls",
                     fmt::format("cannot pull image '{}': {} others are being pulled",
                                 wanted.reference, running_.size()),
                     "try again when they are there");
    }
    mine = running_[wanted] = std::make_shared<Pull>(executor_);
    pulls_.spawn("pull " + wanted.reference, run_pull(wanted, mine));
  }
  // Who is cancelled here leaves; the last one to leave takes the pull along.
  ++mine->waiting;
  std::shared_ptr<void> place{nullptr, [this, wanted, mine](void*) {
                                if (--mine->waiting > 0) return;
                                forget(wanted, *mine);  // nobody may join what is ending
                                mine->abandoned.stop();
                              }};
  while (!mine->ended) {
    co_await mine->changed.wait();
    if (!mine->latest.empty()) progress(mine->latest);
  }
  co_return *mine->ended;
}

async::task<void> Images::run_pull(Wanted wanted, std::shared_ptr<Pull> pull) {
  Result<> result =
      fail(ErrorKind::unavailable, "pull_abandoned",
           fmt::format("cannot pull image '{}': nobody waits for it", wanted.reference));
  auto winner = co_await async::race(pull_into(result, wanted, *pull), pull->abandoned.wait());
  if (!result) name_as_pull(result.error());
  if (!result && winner == async::Winner::first) remember(wanted, result.error());
  pull->ended = std::move(result);
  forget(wanted, *pull);
  pull->changed.notify();
}

void Images::forget(const Wanted& wanted, const Pull& pull) {
  auto found = running_.find(wanted);
  if (found != running_.end() && found->second.get() == &pull) running_.erase(found);
}

async::task<void> Images::pull_into(Result<>& result, Wanted wanted, Pull& pull) {
  const auto& reference = wanted.reference;
  auto parsed = engine::ImageReference::parse(reference);
  if (!parsed) {
    result = fail(parsed.error());
    co_return;
  }
  log::info("pulling image '{}'", reference);
  auto tell = [&](std::string line) {
    pull.latest = std::move(line);
    pull.changed.notify();
  };
  auto tell_progress = [&](const engine::PullProgress& progress) {
    tell(progress_line(reference, progress));
  };
  async::Backoff backoff{settings_.memory.first_retry, longest_retry};
  for (int tries = has_alias(reference) ? tries_max : 1;; ++tries) {
    auto login = login_for(parsed->domain(), wanted.logins);
    result = co_await async::attempt(async::with_deadline(
        pull_max, fmt::format("pulling image '{}'", reference),
        engine::pull_image(engine_, *parsed, std::move(login), tell_progress)));
    if (result && settings_.on_use) settings_.on_use(parsed->familiar(), ImageUse::pulled);
    bool stumbled = !result && result.error().kind == ErrorKind::unavailable;
    if (!stumbled || tries >= tries_max) co_return;
    tell(fmt::format("pulling {} failed; trying again", reference));
    co_await backoff.pause();
  }
}

bool Images::has_alias(const std::string& reference) const {
  auto parsed = engine::ImageReference::parse(reference);
  return parsed && settings_.aliases.contains(parsed->familiar());
}

void Images::remember(const Wanted& wanted, const Error& error) {
  log::warn("{}", error.sentence());
  if (refused_.size() >= refusals_max) refused_.clear();
  const auto& memory = settings_.memory;
  auto pause = has_alias(wanted.reference) ? memory.with_alias : memory.without_alias;
  refused_[wanted] = {steady_now() + pause, error};
}

}  // namespace gantry::sandbox
