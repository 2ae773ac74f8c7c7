#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/images.hpp"
#include "sandbox/image_rules.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gantry::sandbox {

/// Which of our own images serves for one that can not be pulled.
using ImageAliases = std::map<std::string, std::string>;
/// `python:3.11-alpine` → `gantry/python:latest` and the like.
ImageAliases default_aliases();

/// The image that will really run a program. What it says of itself is attacker data.
struct ServedImage {
  std::string name;  ///< What was asked for, or the alias that serves for it.
  std::string id;    ///< `sha256:…`
  std::vector<std::string> volumes;
  std::vector<std::string> env;  ///< `NAME=value`
};

/// How long a failed pull is taken for granted; shorter where nothing else can serve. And how soon
/// it is tried again before that, where the registry might only have stumbled.
struct RefusalMemory {
  Milliseconds with_alias{300'000};
  Milliseconds without_alias{15'000};
  Milliseconds first_retry{500};
};

/// Who we are to the registry of that host (`ghcr.io`, `localhost:5000`), exactly.
using FindLogin = std::function<std::optional<engine::RegistryAuth>(const std::string& host)>;
enum class ImageUse { pulled, served };
/// What happens to an image, by its familiar name.
using OnImageUse = std::function<void(const std::string& reference, ImageUse use)>;

struct ImageSettings {
  ImageAliases aliases = default_aliases();
  ImageRules rules = {};
  FindLogin find_login = {};  ///< Absent: nobody anywhere.
  OnImageUse on_use = {};
  RefusalMemory memory = {};
};

using OnProgress = std::function<void(std::string)>;

/// Finds, pulls and substitutes images on one engine.
class Images {
 public:
  Images(async::Executor executor, engine::Client& engine, ImageSettings settings);

  /// The image itself when the engine has it or can pull it; else the one the alias table names.
  /// A pull that has failed is not tried again for a while. Refusals are Errors with the
  /// registry's own words; `image_not_allowed` and `registry_not_allowed` when the rules have no
  /// place for it.
  async::task<Result<ServedImage>> resolve(std::string reference, Logins logins,
                                           OnProgress progress);
  /// Stops pulls that nobody waits for any more.
  async::task<void> close() { return pulls_.close(); }
  const ImageAliases& aliases() const { return settings_.aliases; }

 private:
  /// What is pulled, and whether with a login: who has none neither waits for such a pull nor
  /// makes others believe in its refusal.
  struct Wanted {
    std::string reference;
    Logins logins = Logins::none;
    auto operator<=>(const Wanted&) const = default;
  };
  /// One pull at a time of what is wanted, however many wait for it; ended when nobody does any
  /// more.
  struct Pull {
    explicit Pull(const async::Executor& executor) : changed{executor}, abandoned{executor} {}
    async::Event changed;
    async::StopSignal abandoned;
    int waiting = 0;
    std::string latest;
    std::optional<Result<>> ended;
  };
  struct Refusal {
    SteadyTime until;
    Error error;
  };

  async::task<Result<ServedImage>> find(std::string reference, Logins logins, OnProgress progress);
  async::task<Result<ServedImage>> look_up(std::string reference);
  async::task<Result<>> pull(std::string reference, Logins logins, OnProgress progress);
  async::task<Result<>> wait_for_pull(Wanted wanted, OnProgress progress);
  async::task<void> run_pull(Wanted wanted, std::shared_ptr<Pull> pull);
  async::task<void> pull_into(Result<>& result, Wanted wanted, Pull& pull);
  void forget(const Wanted& wanted, const Pull& pull);
  std::optional<engine::RegistryAuth> login_for(const std::string& host, Logins logins) const;
  bool has_alias(const std::string& reference) const;
  void remember(const Wanted& wanted, const Error& error);

  async::Executor executor_;
  engine::Client& engine_;
  ImageSettings settings_;
  std::map<Wanted, std::shared_ptr<Pull>> running_;
  std::map<Wanted, Refusal> refused_;
  async::TaskScope pulls_;
};

}  // namespace gantry::sandbox
