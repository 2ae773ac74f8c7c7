#include "sandbox/policy_bounds.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

constexpr double mib = 1024.0 * 1024.0;
constexpr double gib = 1024 * mib;
constexpr double day_ms = 24.0 * 3600 * 1000;

/// One limit as shipped, and how far a server's owner may move its bounds.
struct Shipped {
  Bound bound;
  double least;
  double most;
};
constexpr std::array shipped_numbers{
    Shipped{{"wall_time_ms", 1, 300'000, 10'000}, 1, day_ms},
    Shipped{{"cpu_time_ms", 1, 300'000, 10'000}, 1, day_ms},
    Shipped{{"memory_bytes", 16 * mib, 4 * gib, 256 * mib}, 16 * mib, 1024 * gib},
    Shipped{{"cpus", 0.1, 8, 1}, 0.01, 512},
    Shipped{{"pids", 4, 1024, 64}, 4, 32'768},
    // The server holds a running program's output in its memory.
    Shipped{{"output_bytes", 1, 16 * mib, 1 * mib}, 1, 16 * mib},
    Shipped{{"file_bytes", 1, 1 * gib, 64 * mib}, 1, 64 * gib},
    Shipped{{"tmpfs_bytes", 1 * mib, 1 * gib, 64 * mib}, 1 * mib, 64 * gib},
};

struct ShippedMode {
  std::string_view field;
  std::span<const std::string_view> words;  ///< In the order of its type.
  std::vector<std::string_view> allowed;    ///< Unless gantry.toml says otherwise.
  std::string_view usual;
};
const std::vector<ShippedMode>& shipped_modes() {
  static const std::vector<ShippedMode> modes{
      {"on_output_cap", on_output_cap_words, {"truncate", "end"}, "truncate"},
      // `full` reaches what the engine's machine reaches: somebody has to want that.
      {"network", network_words, {"none", "outbound"}, "none"},
      {"filesystem", filesystem_words, {"sandbox", "temp", "workspace"}, "temp"},
      {"runtime", runtime_words, {"runc", "runsc"}, "runc"},
  };
  return modes;
}

bool is_whole(std::string_view field) { return field != "cpus"; }

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// A number between two others; nothing when it is absent or, noted in `fields`, wrong.
std::optional<double> number_in(json::Fields& fields, std::string_view key, bool whole, double min,
                                double max) {
  if (!whole) return fields.number(key, {min, max});
  auto value =
      fields.integer(key, {static_cast<std::int64_t>(min), static_cast<std::int64_t>(max)});
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

/// The place of `word` in its type; refuses what is not allowed.
std::size_t word_in(json::Fields& fields, const Choice& choice) {
  auto word = fields.text(choice.field).value_or(std::string{choice.usual});
  if (!contains(choice.allowed, word)) {
    fields.refuse(choice.field,
                  fmt::format("must be one of {}, not '{}'", fmt::join(choice.allowed, ", "),
                              text::shortened(text::one_line(word), 40)));
    return 0;
  }
  auto mode = std::ranges::find(shipped_modes(), choice.field, &ShippedMode::field);
  return static_cast<std::size_t>(std::ranges::find(mode->words, word) - mode->words.begin());
}

/// The name of a kept folder, which becomes part of file names.
void read_workspace(json::Fields& fields, Policy& policy) {
  policy.workspace = fields.text("workspace", {1, 64}).value_or("");
  auto wanted = policy.filesystem == Filesystem::workspace;
  if (wanted == !policy.workspace.empty()) {
    constexpr auto* allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    bool begins_well = !policy.workspace.starts_with('-') && !policy.workspace.starts_with('_');
    bool sound = policy.workspace.find_first_not_of(allowed) == std::string::npos;
    if (begins_well && sound) return;
    return fields.refuse("workspace",
                         "must have only small letters, digits, '-' and '_', and begin with a "
                         "letter or digit");
  }
  fields.refuse("workspace", wanted ? "is missing: 'filesystem' is 'workspace'"
                                    : "needs 'filesystem' to be 'workspace'");
}

}  // namespace

PolicyBounds::PolicyBounds() {
  for (const auto& shipped : shipped_numbers) numbers_.push_back(shipped.bound);
  for (const auto& mode : shipped_modes()) {
    modes_.push_back({mode.field, mode.allowed, mode.usual});
  }
}

PolicyBounds PolicyBounds::widest() {
  PolicyBounds bounds;
  for (std::size_t i = 0; i < shipped_numbers.size(); ++i) {
    bounds.numbers_[i].min = shipped_numbers[i].least;
    bounds.numbers_[i].max = shipped_numbers[i].most;
  }
  for (std::size_t i = 0; i < bounds.modes_.size(); ++i) {
    auto words = shipped_modes()[i].words;
    bounds.modes_[i].allowed.assign(words.begin(), words.end());
  }
  return bounds;
}

const Bound& PolicyBounds::number(std::string_view field) const {
  auto found = std::ranges::find(numbers_, field, &Bound::field);
  CHECK(found != numbers_.end());
  return *found;
}

const Choice& PolicyBounds::mode(std::string_view field) const {
  auto found = std::ranges::find(modes_, field, &Choice::field);
  CHECK(found != modes_.end());
  return *found;
}

Result<Policy> PolicyBounds::read(const json::Value& limits) const {
  json::Fields fields{limits, "limits", json::Keys::strict};
  auto read = [&](std::string_view field) {
    const auto& bound = number(field);
    return number_in(fields, field, is_whole(field), bound.min, bound.max).value_or(bound.usual);
  };
  auto time = [&](std::string_view field) {
    return Milliseconds{static_cast<std::int64_t>(read(field))};
  };
  auto size = [&](std::string_view field) {
    return Bytes{static_cast<std::uint64_t>(read(field))};
  };
  Policy policy;
  policy.wall_time = time("wall_time_ms");
  policy.cpu_time = time("cpu_time_ms");
  if (fields.member("cpu_time_ms") == nullptr && cpu_time_follows_) {
    const auto& bound = number("cpu_time_ms");
    auto wall = static_cast<double>(policy.wall_time.count());
    policy.cpu_time =
        Milliseconds{static_cast<std::int64_t>(std::clamp(wall, bound.min, bound.max))};
  }
  policy.memory = size("memory_bytes");
  policy.cpus = read("cpus");
  policy.pids = static_cast<int>(read("pids"));
  policy.output = size("output_bytes");
  policy.on_output_cap = static_cast<OnOutputCap>(word_in(fields, mode("on_output_cap")));
  policy.file = size("file_bytes");
  policy.tmpfs = size("tmpfs_bytes");
  policy.network = static_cast<Network>(word_in(fields, mode("network")));
  policy.filesystem = static_cast<Filesystem>(word_in(fields, mode("filesystem")));
  policy.runtime = static_cast<Runtime>(word_in(fields, mode("runtime")));
  read_workspace(fields, policy);
  if (auto done = fields.finish(); !done) return fail(done.error());
  return policy;
}

namespace {

/// One limit's bounds, changed: everything that is not refused lies within `outer`.
Bound change_number(const json::Value& value, Bound bound, const Bound& outer, std::string where,
                    json::Fields& errors) {
  json::Fields fields{value, std::move(where), json::Keys::strict};
  bool whole = is_whole(bound.field);
  bound.min = number_in(fields, "min", whole, outer.min, outer.max).value_or(bound.min);
  bound.max = number_in(fields, "max", whole, outer.min, outer.max).value_or(bound.max);
  if (bound.min > bound.max) {
    fields.refuse("min", fmt::format("must be at most 'max', which is {}", bound.max));
  } else {
    auto usual = number_in(fields, "default", whole, bound.min, bound.max);
    bound.usual = usual.value_or(std::clamp(bound.usual, bound.min, bound.max));
  }
  if (auto done = fields.finish(); !done) errors.adopt(done.error());
  return bound;
}

Choice change_mode(const json::Value& value, Choice choice, const Choice& outer, std::string where,
                   json::Fields& errors) {
  json::Fields fields{value, std::move(where), json::Keys::strict};
  bool given = fields.member("allowed") != nullptr;
  auto words = fields.texts("allowed", 16);
  if (given) choice.allowed.clear();
  for (const auto& word : words) {
    auto known = std::ranges::find(outer.allowed, word);
    if (known == outer.allowed.end()) {
      fields.refuse("allowed",
                    fmt::format("must hold only {}, not '{}'", fmt::join(outer.allowed, ", "),
                                text::shortened(text::one_line(word), 40)));
    } else if (!contains(choice.allowed, *known)) {
      choice.allowed.push_back(*known);
    }
  }
  if (choice.allowed.empty()) fields.refuse("allowed", "must allow something");
  auto usual = fields.text("default");
  if (usual && !contains(choice.allowed, *usual)) {
    fields.refuse("default", fmt::format("must be one of {}", fmt::join(choice.allowed, ", ")));
  } else if (usual) {
    choice.usual = *std::ranges::find(choice.allowed, *usual);
  } else if (!choice.allowed.empty() && !contains(choice.allowed, choice.usual)) {
    choice.usual = choice.allowed.front();
  }
  if (auto done = fields.finish(); !done) errors.adopt(done.error());
  return choice;
}

/// As much of `bound` as `outer` has.
Bound clamped(Bound bound, const Bound& outer) {
  bound.min = std::clamp(bound.min, outer.min, outer.max);
  bound.max = std::clamp(bound.max, outer.min, outer.max);
  bound.usual = std::clamp(bound.usual, bound.min, bound.max);
  return bound;
}

/// May leave nothing: then every word is refused.
Choice clamped(Choice choice, const Choice& outer) {
  std::erase_if(choice.allowed, [&](auto word) { return !contains(outer.allowed, word); });
  if (!choice.allowed.empty() && !contains(choice.allowed, choice.usual)) {
    choice.usual = choice.allowed.front();
  }
  return choice;
}

}  // namespace

Result<PolicyBounds> PolicyBounds::changed(const json::Value& change, const PolicyBounds& within,
                                           const std::string& where, Fit fit) const {
  json::Fields fields{change, where, json::Keys::strict};
  const auto reach = fit == Fit::clamp ? widest() : within;
  auto bounds = *this;
  for (auto& bound : bounds.numbers_) {
    const auto* value = fields.member(bound.field);
    if (value == nullptr) continue;
    if (fit == Fit::clamp) {
      const auto& outer = reach.number(bound.field);
      bound = {bound.field, outer.min, outer.max, bound.usual};
    }
    bound =
        change_number(*value, bound, reach.number(bound.field), fields.path(bound.field), fields);
    const auto* object = value->if_object();
    bool usual = object != nullptr && object->contains("default");
    if (bound.field == "cpu_time_ms" && usual) bounds.cpu_time_follows_ = false;
  }
  for (auto& choice : bounds.modes_) {
    const auto* value = fields.member(choice.field);
    if (value == nullptr) continue;
    if (fit == Fit::clamp) choice.allowed = reach.mode(choice.field).allowed;
    choice =
        change_mode(*value, choice, reach.mode(choice.field), fields.path(choice.field), fields);
  }
  if (auto done = fields.finish(); !done) return fail(done.error());
  for (auto& bound : bounds.numbers_) bound = clamped(bound, within.number(bound.field));
  for (auto& choice : bounds.modes_) choice = clamped(choice, within.mode(choice.field));
  return bounds;
}

Result<PolicyBounds> PolicyBounds::changed(const json::Value& change, const PolicyBounds& within,
                                           const std::string& where) const {
  return changed(change, within, where, Fit::refuse);
}

Result<PolicyBounds> PolicyBounds::met(const json::Value& accepted) const {
  return changed(accepted, *this, "limits", Fit::clamp);
}

PolicyBounds PolicyBounds::capped(std::string_view field, double max) const {
  auto bounds = *this;
  auto found = std::ranges::find(bounds.numbers_, field, &Bound::field);
  CHECK(found != bounds.numbers_.end());
  found->max = std::min(found->max, max);
  found->min = std::min(found->min, found->max);
  found->usual = std::min(found->usual, found->max);
  return bounds;
}

PolicyBounds PolicyBounds::preferring(const UsualLimits& wishes) const {
  auto bounds = *this;
  for (const auto& [field, wish] : wishes) {
    auto found = std::ranges::find(bounds.numbers_, field, &Bound::field);
    CHECK(found != bounds.numbers_.end());
    found->usual = std::clamp(std::max(found->usual, wish), found->min, found->max);
  }
  return bounds;
}

Result<ServerBounds> ServerBounds::read(const json::Value& limits,
                                        std::span<const std::string_view> roles) {
  const auto* object = limits.if_object();
  if (object == nullptr) return fail(json::field_error("limits", "must be an object"));
  auto everybody = *object;
  everybody.erase("roles");
  ServerBounds bounds;
  auto changed = PolicyBounds{}.changed(json::Value(everybody), PolicyBounds::widest(), "limits");
  if (!changed) return fail(changed.error());
  bounds.everybody_ = std::move(*changed);
  const auto* by_role = object->if_contains("roles");
  if (by_role == nullptr) return bounds;

  json::Fields fields{*by_role, "limits.roles", json::Keys::strict};
  for (auto role : roles) {
    const auto* change = fields.member(role);
    if (change == nullptr) continue;
    auto narrowed = bounds.everybody_.narrowed(*change, fields.path(role));
    if (!narrowed) return fail(narrowed.error());
    bounds.roles_.emplace(role, std::move(*narrowed));
  }
  if (auto done = fields.finish(); !done) return fail(done.error());
  return bounds;
}

const PolicyBounds& ServerBounds::of(std::string_view role) const {
  auto found = roles_.find(role);
  return found == roles_.end() ? everybody_ : found->second;
}

}  // namespace gantry::sandbox
