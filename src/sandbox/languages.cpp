#include "sandbox/languages.hpp"

#include "base/text.hpp"
#include "base/toml.hpp"
#include "engine/image_reference.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

extern "C" {
extern const char gantry_languages_begin[];  // languages.toml
extern const char gantry_languages_end[];
}

namespace gantry::sandbox {
namespace {

constexpr std::size_t languages_max = 200;
constexpr std::size_t words_max = 64;
constexpr json::TextBounds word_bounds{1, 1024};

std::string_view stem_of(std::string_view path) {
  auto dot = path.rfind('.');
  auto slash = path.rfind('/');
  bool has_dot = dot != path.npos && (slash == path.npos || dot > slash + 1) && dot > 0;
  return has_dot ? path.substr(0, dot) : path;
}

std::string_view folder_of(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view{} : path.substr(0, slash);
}

void replace_all(std::string& word, std::string_view place, std::string_view value) {
  for (auto at = word.find(place); at != word.npos; at = word.find(place, at + value.size())) {
    word.replace(at, place.size(), value);
  }
}

/// Names stand in URLs, metrics and file names of others.
bool sound_name(std::string_view name) {
  constexpr auto* allowed = "abcdefghijklmnopqrstuvwxyz0123456789+#._-";
  return !name.empty() && name.size() <= 32 && name.find_first_not_of(allowed) == name.npos;
}

std::vector<std::string> read_names(json::Fields& fields, std::string_view key) {
  auto names = fields.texts(key, 16, {1, 32});
  for (const auto& name : names) {
    if (!sound_name(name)) fields.refuse(key, fmt::format("can not hold '{}'", name));
  }
  return names;
}

std::vector<std::string> read_extensions(json::Fields& fields) {
  auto extensions = fields.texts("extensions", 16, {2, 16});
  if (extensions.empty()) fields.refuse("extensions", "are missing");
  for (const auto& extension : extensions) {
    if (!extension.starts_with('.')) fields.refuse("extensions", "must begin with a dot");
  }
  return extensions;
}

UsualLimits read_limits(json::Fields& outer) {
  UsualLimits limits;
  const auto* value = outer.member("limits");
  if (value == nullptr) return limits;
  json::Fields fields{*value, outer.path("limits"), json::Keys::strict};
  auto widest = PolicyBounds::widest();
  for (const auto& bound : widest.numbers()) {
    auto wish = fields.number(bound.field, {bound.min, bound.max});
    if (wish) limits.emplace_back(bound.field, *wish);
  }
  if (auto read = fields.finish(); !read) outer.adopt(read.error());
  return limits;
}

std::vector<std::string> read_command(json::Fields& fields, std::string_view key) {
  auto command = fields.texts(key, words_max, word_bounds);
  for (const auto& word : command) {
    if (word.find('\0') != std::string::npos) fields.refuse(key, "must not hold NUL");
  }
  return command;
}

Result<Language> read_language(const std::string& name, const json::Value& value) {
  json::Fields fields{value, fmt::format("languages.{}", name), json::Keys::strict};
  Language language;
  language.name = name;
  language.aliases = read_names(fields, "aliases");
  language.version = fields.text("version", {0, 32}).value_or("");
  language.image = fields.required_text("image", {1, 512});
  auto image = engine::ImageReference::parse(language.image);
  if (!image && !fields.refused()) fields.refuse("image", image.error().message);
  language.extensions = read_extensions(fields);
  language.entry_file = fields.required_text("entry", {1, 255});
  if (language.entry_file.find_first_of(std::string_view{"/\0", 2}) != std::string::npos) {
    fields.refuse("entry", "must be the name of a file");
  }
  language.compile = read_command(fields, "compile");
  auto usual = language.compile_time.count();
  language.compile_time =
      Milliseconds{fields.integer("compile_time_ms", {1, 3'600'000}).value_or(usual)};
  language.run = read_command(fields, "run");
  if (language.run.empty()) fields.refuse("run", "is missing");
  language.env = fields.text_map("env", 32, {0, 1024});
  for (const auto& [variable, text] : language.env) {
    bool sound = !variable.empty() && variable.find('=') == variable.npos &&
                 fmt::format("{}{}", variable, text).find('\0') == std::string::npos;
    if (!sound) fields.refuse("env", "must have names without '=' and no NUL anywhere");
  }
  language.limits = read_limits(fields);
  language.prewarm = fields.boolean("prewarm").value_or(false);
  if (auto done = fields.finish(); !done) return fail(done.error());
  return language;
}

/// The names and aliases of a table are all different.
Result<> check_names(const std::vector<Language>& table) {
  std::set<std::string_view> seen;
  for (const auto& language : table) {
    std::vector<std::string_view> names{language.name};
    names.insert(names.end(), language.aliases.begin(), language.aliases.end());
    for (auto name : names) {
      if (seen.insert(name).second) continue;
      return fail(json::field_error(fmt::format("languages.{}", language.name),
                                    fmt::format("has the name '{}', which is another's", name)));
    }
  }
  return ok;
}

Result<std::vector<Language>> read_table(const json::Object& languages) {
  if (languages.size() > languages_max) {
    return fail(json::field_error("languages", fmt::format("must be at most {}", languages_max)));
  }
  std::vector<Language> table;
  for (const auto& [key, value] : languages) {
    std::string name{key};
    if (!sound_name(name)) {
      return fail(json::field_error(
          fmt::format("languages.{}", text::shortened(text::one_line(name), 40)),
          "must have a name of 1 to 32 small letters, digits and '+', '#', '.', '_', '-'"));
    }
    auto language = read_language(name, value);
    if (!language) return fail(language.error());
    table.push_back(std::move(*language));
  }
  if (auto checked = check_names(table); !checked) return fail(checked.error());
  return table;
}

const json::Object& shipped_table() {
  static const json::Object table = [] {
    auto parsed = toml::parse(std::string_view{gantry_languages_begin, gantry_languages_end});
    CHECK(parsed);
    auto file = json::from_toml(parsed.table());
    CHECK(file.is_object());
    auto* languages = file.get_object().if_contains("languages");
    CHECK(languages != nullptr && languages->is_object());
    return std::move(languages->get_object());
  }();
  return table;
}

/// The keys of `change` over those of what is there.
void overlay(json::Object& languages, std::string_view name, const json::Object& change) {
  auto& language = languages[name];
  if (!language.is_object()) language = json::Object{};
  for (const auto& [key, value] : change) language.as_object()[key] = value;
}

}  // namespace

bool Language::has_extension(std::string_view path) const {
  return std::ranges::any_of(extensions, [path](const auto& end) { return path.ends_with(end); });
}

std::vector<std::string> command_of(const Language& language,
                                    const std::vector<std::string>& command,
                                    const CommandFiles& files) {
  auto placed = [&](const std::string& path) {
    return files.box == "." ? path : fmt::format("{}/{}", files.box, path);
  };
  std::vector<std::string> sources{placed(files.entry)};
  std::vector<std::string> siblings{placed(files.entry)};
  for (const auto& path : files.paths) {
    if (path == files.entry || !language.has_extension(path)) continue;
    sources.push_back(placed(path));
    if (folder_of(path) == folder_of(files.entry)) siblings.push_back(placed(path));
  }
  std::vector<std::string> words;
  for (auto word : command) {
    if (word == "{sources}" || word == "{siblings}") {
      const auto& some = word == "{sources}" ? sources : siblings;
      words.insert(words.end(), some.begin(), some.end());
      continue;
    }
    // {entry} and {stem} last: a file's name may look like a place itself.
    replace_all(word, "{box}", files.box);
    if (word.find("{stem}") != word.npos) {
      replace_all(word, "{stem}", stem_of(files.entry));
    } else {
      replace_all(word, "{entry}", placed(files.entry));
    }
    words.push_back(std::move(word));
  }
  return words;
}

Languages::Languages() : table_{value_or_throw(read_table(shipped_table()))} {}

Result<Languages> Languages::read(const json::Value& changes) {
  const auto* object = changes.if_object();
  if (object == nullptr) return fail(json::field_error("languages", "must be an object"));
  auto merged = shipped_table();
  for (const auto& [name, value] : *object) {
    auto where = fmt::format("languages.{}", std::string_view{name});
    const auto* change = value.if_object();
    if (change == nullptr) return fail(json::field_error(where, "must be an object"));
    auto kept = *change;
    const auto* enabled = kept.if_contains("enabled");
    if (enabled != nullptr && !enabled->is_bool()) {
      return fail(json::field_error(where + ".enabled", "must be true or false"));
    }
    bool removed = enabled != nullptr && !enabled->as_bool();
    kept.erase("enabled");
    if (removed) {
      merged.stable_erase(name);
    } else {
      overlay(merged, name, kept);
    }
  }
  auto table = read_table(merged);
  if (!table) return fail(table.error());
  Languages languages;
  languages.table_ = std::move(*table);
  return languages;
}

const Language* Languages::find(std::string_view name) const {
  auto wanted = text::lowered(name);
  for (const auto& language : table_) {
    bool is_it = language.name == wanted ||
                 std::ranges::find(language.aliases, wanted) != language.aliases.end();
    if (is_it) return &language;
  }
  return nullptr;
}

const Language* Languages::of_file(std::string_view path) const {
  auto found = std::ranges::find_if(
      table_, [path](const auto& language) { return language.has_extension(path); });
  return found == table_.end() ? nullptr : &*found;
}

std::string Languages::names() const {
  std::vector<std::string_view> names;
  for (const auto& language : table_) names.emplace_back(language.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

const Languages& shipped_languages() {
  static const Languages languages;
  return languages;
}

}  // namespace gantry::sandbox
