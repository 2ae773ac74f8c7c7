#include "engine/images.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "cli/interrupt.hpp"
#include "cli/table.hpp"
#include "doctor/explain.hpp"
#include "engine/client.hpp"
#include "engine/refusal.hpp"
#include "sandbox/image_maker.hpp"
#include "sandbox/languages.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

// `gantry images`: talks to the engine itself, so that it works before there is a server.
namespace gantry::cli {
namespace {

constexpr Milliseconds pull_max{15 * 60'000};

/// What one image came to: `how` is for people, `error` is set when there is nothing to run on.
struct Settled {
  std::string image;
  std::string served_by;
  std::string how;
  std::optional<Error> error;
};

class Images {
 public:
  Images(Context& context, const ImagesCommand& command, net::Endpoint endpoint, net::TlsClient tls)
      : context_{context},
        command_{command},
        engine_{
            context.executor,
            doctor::explained(context.executor,
                              net::dialer(context.executor, endpoint, std::move(tls)), endpoint),
            endpoint} {}

  async::task<Result<int>> make();
  async::task<Result<int>> ensure();
  async::task<Result<int>> list();

 private:
  async::task<Result<bool>> is_there(std::string image);
  async::task<Result<>> pull(std::string image);
  async::task<Settled> settle(std::string image);
  bool is_usual(const std::string& image) const;
  async::task<Result<std::string>> make_one(const sandbox::ImageRecipe& recipe);
  const sandbox::ImageRecipe* recipe_for(const std::string& name) const;
  const sandbox::ImageRecipe* recipe_serving(const std::string& image) const;
  Result<std::vector<const sandbox::ImageRecipe*>> wanted() const;
  int finish(const std::vector<Settled>& all, const std::optional<Error>& failure);
  void progress(std::string_view line) { context_.terminal.progress(line); }
  void out(const json::Value& value) { context_.terminal.out(json::serialize(value) + "\n"); }

  Context& context_;
  const ImagesCommand& command_;
  engine::Client engine_;
  std::optional<sandbox::PackageHost> host_;
  std::set<std::string> unreachable_registries_;
};

async::task<Result<bool>> Images::is_there(std::string image) {
  auto details = co_await engine::inspect_image(engine_, std::move(image));
  if (details) co_return true;
  if (details.error().kind == ErrorKind::not_found) co_return false;
  co_return fail(details.error());
}

async::task<Result<>> Images::pull(std::string image) {
  auto reference = engine::ImageReference::parse(image);
  if (!reference) co_return fail(reference.error());
  if (unreachable_registries_.contains(reference->domain())) {
    co_return fail(ErrorKind::unavailable, "registry_unreachable",
                   fmt::format("cannot pull image '{}': the registry '{}' could not be reached",
                               image, reference->domain()));
  }
  progress(fmt::format("pulling {}", image));
  auto tell = [this](const engine::PullProgress& step) {
    if (step.total_bytes != 0 || step.layer.empty()) return;
    progress(fmt::format("  {} {}", step.layer, step.status));
  };
  auto pulled = co_await async::attempt(
      async::with_deadline(pull_max, fmt::format("pulling image '{}'", image),
                           engine::pull_image(engine_, *reference, std::nullopt, tell)));
  if (!pulled && pulled.error().kind != ErrorKind::not_found) {
    unreachable_registries_.insert(reference->domain());
  }
  co_return pulled;
}

async::task<Result<std::string>> Images::make_one(const sandbox::ImageRecipe& recipe) {
  if (!host_) {
    auto host = co_await context_.workers.run(
        [this] { return sandbox::read_package_host("/", command_.env, command_.temporary); });
    if (!host) co_return fail(host.error());
    host_ = std::move(*host);
  }
  sandbox::ImageMaker maker{context_.executor, engine_, context_.workers, *host_};
  co_return co_await async::attempt(
      maker.make(recipe, [this](const std::string& line) { progress(line); }));
}

/// By its own name or that of a language; nullptr when there is none.
const sandbox::ImageRecipe* Images::recipe_for(const std::string& name) const {
  if (const auto* recipe = sandbox::find_recipe(name)) return recipe;
  const auto* language = command_.languages.find(name);
  return language == nullptr ? nullptr : recipe_serving(language->image);
}

/// The recipe of an image, or of the one that serves for it.
const sandbox::ImageRecipe* Images::recipe_serving(const std::string& image) const {
  auto alias = command_.aliases.find(image);
  return sandbox::find_recipe(alias == command_.aliases.end() ? image : alias->second);
}

Result<std::vector<const sandbox::ImageRecipe*>> Images::wanted() const {
  std::vector<const sandbox::ImageRecipe*> recipes;
  bool all = command_.names == std::vector<std::string>{"all"};
  for (const auto& name : command_.names) {
    if (all) break;
    const auto* recipe = recipe_for(name);
    if (recipe == nullptr) {
      return fail(ErrorKind::invalid, "no_such_recipe",
                  fmt::format("cannot make image '{}': there is no recipe for it", name),
                  fmt::format("there are {}, and 'all'", sandbox::recipe_names()));
    }
    recipes.push_back(recipe);
  }
  if (recipes.empty()) {
    for (const auto& recipe : sandbox::image_recipes()) {
      if (all || recipe.made == sandbox::ImageRecipe::Made::usually) recipes.push_back(&recipe);
    }
  }
  return recipes;
}

int Images::finish(const std::vector<Settled>& all, const std::optional<Error>& failure) {
  if (command_.format == Format::json) {
    json::Array items;
    for (const auto& one : all) {
      json::Object item{{"image", one.image}, {"served_by", nullptr}};
      if (!one.served_by.empty()) item["served_by"] = one.served_by;
      if (one.error) item["error"] = one.error->sentence();
      items.emplace_back(std::move(item));
    }
    out(json::Object{{"items", std::move(items)}});
  } else {
    for (const auto& one : all) {
      if (!one.error) context_.terminal.out(one.how + "\n");
    }
  }
  return failure ? traits(failure->kind).exit_code : 0;
}

async::task<Result<int>> Images::make() {
  auto recipes = wanted();
  if (!recipes) co_return fail(recipes.error());
  std::vector<Settled> all;
  std::optional<Error> failure;
  for (const auto* recipe : *recipes) {
    std::string image{recipe->image};
    auto made = co_await make_one(*recipe);
    if (made) {
      all.push_back({image, image, fmt::format("{} is made ({})", image, *made), {}});
    } else {
      context_.terminal.err(error_line(made.error(), command_.format));
      if (!failure) failure = made.error();
      all.push_back({image, {}, {}, made.error()});
      // Without an engine the others can not be made either.
      if (engine::is_of_the_way(made.error())) break;
    }
  }
  co_return finish(all, failure);
}

/// What serves `image` from now on: itself, its alias, or an image made here.
async::task<Settled> Images::settle(std::string image) {
  auto failed = [&](const Error& error) { return Settled{image, {}, {}, error}; };
  auto present = co_await is_there(image);
  if (!present) co_return failed(present.error());
  if (*present) co_return Settled{image, image, fmt::format("{} is there", image), {}};

  auto alias = command_.aliases.find(image);
  auto substitute = alias == command_.aliases.end() ? std::string{} : alias->second;
  auto serves = fmt::format("{} serves for {}", substitute, image);
  if (!substitute.empty()) {
    auto known = co_await is_there(substitute);
    if (!known) co_return failed(known.error());
    if (*known) co_return Settled{image, substitute, serves, {}};
  }
  auto pulled = co_await pull(image);
  if (pulled) co_return Settled{image, image, fmt::format("{} is pulled", image), {}};
  progress(pulled.error().sentence());
  const auto* recipe = sandbox::find_recipe(substitute);
  if (recipe == nullptr) co_return failed(pulled.error());
  progress(fmt::format("making {} from this machine's packages to serve for it", substitute));
  auto made = co_await make_one(*recipe);
  if (!made) co_return failed(made.error());
  co_return Settled{image, substitute, serves, {}};
}

/// Whether an image is one of the few that are wanted everywhere: the others are large and come
/// when somebody asks for them.
bool Images::is_usual(const std::string& image) const {
  const auto* recipe = recipe_serving(image);
  return recipe != nullptr && recipe->made == sandbox::ImageRecipe::Made::usually;
}

async::task<Result<int>> Images::ensure() {
  std::vector<Settled> all;
  std::set<std::string_view> seen;
  std::optional<Error> failure;
  for (const auto& language : command_.languages.all()) {
    if (!is_usual(language.image) || !seen.insert(language.image).second) continue;
    auto settled = co_await async::attempt(settle(language.image));
    if (!settled) co_return fail(settled.error());
    if (settled->error) {
      context_.terminal.err(error_line(*settled->error, command_.format));
      // Everything else works without Node, and not every archive has it.
      if (!failure && language.name != "javascript") failure = settled->error;
    }
    all.push_back(std::move(*settled));
  }
  co_return finish(all, failure);
}

async::task<Result<int>> Images::list() {
  std::vector<Row> rows;
  json::Array languages;
  for (const auto& language : command_.languages.all()) {
    const auto& image = language.image;
    std::string serves;
    auto alias = command_.aliases.find(image);
    for (const auto& candidate : {image, alias == command_.aliases.end() ? "" : alias->second}) {
      if (candidate.empty() || !serves.empty()) continue;
      auto present = co_await is_there(candidate);
      if (!present) co_return fail(present.error());
      if (*present) serves = candidate;
    }
    rows.push_back({language.name, image, serves.empty() ? "(none yet)" : serves});
    json::Value served_by;
    if (!serves.empty()) served_by = serves;
    languages.emplace_back(
        json::Object{{"name", language.name}, {"image", image}, {"served_by", served_by}});
  }
  json::Object aliases;
  std::vector<Row> alias_rows;
  for (const auto& [image, substitute] : command_.aliases) {
    aliases[image] = substitute;
    alias_rows.push_back({image, substitute});
  }
  if (command_.format == Format::json) {
    out(json::Object{{"languages", std::move(languages)}, {"aliases", std::move(aliases)}});
  } else {
    context_.terminal.out(table({"LANGUAGE", "IMAGE", "SERVED BY"}, rows));
    context_.terminal.out("\n");
    context_.terminal.out(table({"WHEN IT CAN NOT BE PULLED", "THIS SERVES"}, alias_rows));
  }
  co_return 0;
}

async::task<Result<int>> act(Context& context, ImagesCommand command) {
  auto endpoint = net::Endpoint::parse(command.engine);
  if (!endpoint) co_return fail(endpoint.error());
  auto tls = net::load_tls_client(command.engine_tls);
  if (!tls) co_return fail(tls.error());
  Images images{context, command, *endpoint, std::move(*tls)};
  switch (command.action) {
    case ImagesCommand::Action::make:
      co_return co_await images.make();
    case ImagesCommand::Action::ensure:
      co_return co_await images.ensure();
    case ImagesCommand::Action::list:
      break;
  }
  co_return co_await images.list();
}

}  // namespace

async::task<Result<int>> run(Context& context, ImagesCommand command) {
  return unless_interrupted(context, act(context, std::move(command)));
}

}  // namespace gantry::cli
