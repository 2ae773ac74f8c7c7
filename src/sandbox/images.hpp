#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

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

/// How long a failed pull is taken for granted; shorter where nothing else can serve.
struct RefusalMemory {
  Milliseconds with_alias{300'000};
  Milliseconds without_alias{15'000};
};

using OnProgress = std::function<void(std::string)>;

/// Finds, pulls and substitutes images on one engine.
class Images {
 public:
  Images(async::Executor executor, engine::Client& engine, ImageAliases aliases,
         RefusalMemory memory = {});

  /// The image itself when the engine has it or can pull it; else the one the alias table names.
  /// A pull that has failed is not tried again for a while. Refusals are Errors with the
  /// registry's own words.
  async::task<Result<ServedImage>> resolve(std::string reference, OnProgress progress);
  /// Stops pulls that nobody waits for any more.
  async::task<void> close() { return pulls_.close(); }
  const ImageAliases& aliases() const { return aliases_; }

 private:
  /// One pull at a time per reference, however many wait for it; ended when nobody does any more.
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

  async::task<Result<ServedImage>> look_up(std::string reference);
  async::task<Result<>> pull(std::string reference, OnProgress progress);
  async::task<void> run_pull(std::string reference, std::shared_ptr<Pull> pull);
  async::task<void> pull_into(Result<>& result, std::string reference, Pull& pull);
  void forget(const std::string& reference, const Pull& pull);
  void remember(const std::string& reference, const Error& error);

  async::Executor executor_;
  engine::Client& engine_;
  ImageAliases aliases_;
  RefusalMemory memory_;
  std::map<std::string, std::shared_ptr<Pull>> running_;
  std::map<std::string, Refusal> refused_;
  async::TaskScope pulls_;
};

}  // namespace gantry::sandbox
