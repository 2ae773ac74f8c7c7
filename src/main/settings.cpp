#include "main/settings.hpp"

#include "access/identity.hpp"
#include "base/nearest.hpp"
#include "base/text.hpp"
#include "base/toml.hpp"
#include "engine/image_reference.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::main {
namespace {

enum class Kind { text, texts, boolean, number };

struct Known {
  std::string_view key;
  Kind kind;
};
/// Everything that can stand in gantry.toml and, in capitals behind GANTRY_, in the environment.
constexpr std::array known_settings{
    Known{"listen", Kind::texts},
    Known{"data_dir", Kind::text},
    Known{"database", Kind::text},
    Known{"database_password_file", Kind::text},
    Known{"trusted_proxies", Kind::texts},
    Known{"engine", Kind::text},
    Known{"anonymous_execute", Kind::boolean},
    Known{"allowed_hosts", Kind::texts},
    Known{"allowed_origins", Kind::texts},
    Known{"log_level", Kind::text},
    Known{"log_format", Kind::text},
    Known{"executions_max", Kind::number},
    Known{"queue_max", Kind::number},
    Known{"user_executions_max", Kind::number},
    Known{"user_queue_max", Kind::number},
    Known{"token_executions_max", Kind::number},
    Known{"token_queue_max", Kind::number},
    Known{"keep_count", Kind::number},
    Known{"keep_bytes", Kind::number},
    Known{"keep_days", Kind::number},
    Known{"workspace_bytes", Kind::number},
    Known{"workspace_files", Kind::number},
    Known{"user_workspaces_max", Kind::number},
    Known{"images_allow", Kind::texts},
    Known{"images_registries", Kind::texts},
    Known{"images_prepull", Kind::texts},
    Known{"images_unused_days", Kind::number},
    Known{"pool_min", Kind::number},
    Known{"pool_max", Kind::number},
    Known{"pool_memory", Kind::number},
    Known{"outbound_dns", Kind::texts},
    Known{"outbound_blocked", Kind::texts},
    Known{"local_executor", Kind::boolean},
    Known{"local_trusted", Kind::boolean},
    Known{"webhook_private", Kind::boolean},
    Known{"webhook_secret", Kind::text},
    Known{"webhook_ca", Kind::text},
    Known{"tls_certificate", Kind::text},
    Known{"tls_key", Kind::text},
    Known{"engine_ca", Kind::text},
    Known{"engine_certificate", Kind::text},
    Known{"engine_key", Kind::text},
    Known{"ssh_agent", Kind::text},
    Known{"ssh_config", Kind::text},
    Known{"oidc_issuer", Kind::text},
    Known{"oidc_client_id", Kind::text},
    Known{"oidc_client_secret_file", Kind::text},
    Known{"oidc_redirect_url", Kind::text},
    Known{"oidc_scopes", Kind::texts},
    Known{"oidc_groups_claim", Kind::text},
    Known{"oidc_roles", Kind::texts},
    Known{"oidc_first_grants", Kind::texts},
    Known{"oidc_ca", Kind::text},
    Known{"server", Kind::text},
};

std::string variable_of(std::string_view key) {
  std::string name{"GANTRY_"};
  for (char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

std::string_view expected(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "a text in quotes";
    case Kind::texts:
      return "a list of texts in quotes";
    case Kind::boolean:
      return "true or false";
    case Kind::number:
      return "a whole number";
  }
  return "";
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node, Kind kind) {
  if (kind == Kind::boolean) {
    if (const auto* value = node.as_boolean()) {
      return std::vector<std::string>{value->get() ? "true" : "false"};
    }
  } else if (kind == Kind::number) {
    if (const auto* value = node.as_integer()) {
      return std::vector<std::string>{std::to_string(value->get())};
    }
  } else if (const auto* value = node.as_string()) {
    return std::vector<std::string>{value->get()};
  } else if (const auto* list = node.as_array(); list != nullptr && kind == Kind::texts) {
    std::vector<std::string> texts;
    for (const auto& item : *list) {
      const auto* text = item.as_string();
      if (text == nullptr) return std::nullopt;
      texts.push_back(text->get());
    }
    if (!texts.empty()) return texts;
  }
  return std::nullopt;
}

/// `[limits]`, for the roles that there are.
Result<sandbox::ServerBounds> read_bounds(const json::Value& limits) {
  std::array<std::string_view, access::all_roles.size()> words;
  std::ranges::transform(access::all_roles, words.begin(),
                         [](access::Role role) { return word(role); });
  return sandbox::ServerBounds::read(limits, words);
}

/// Reads one file's tables; keeps the first mistake.
class Reader {
 public:
  explicit Reader(std::string file) : file_{std::move(file)} {}

  Result<ConfigFile> read(const toml::table& table) {
    for (const auto& [key, node] : table) {
      if (key.str() == "images" && node.is_table()) {
        read_images(*node.as_table());
      } else if (key.str() == "languages" && node.is_table()) {
        read_whole(key, node, config_.languages, sandbox::Languages::read);
      } else if (key.str() == "limits" && node.is_table()) {
        read_whole(key, node, config_.bounds, read_bounds);
      } else {
        read_setting(key, node);
      }
    }
    if (error_) return fail(*error_);
    return std::move(config_);
  }

  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}", file_, source.begin.line);
  }

  void refuse(const toml::source_region& source, std::string cause, std::string remedy) {
    // Tables are read in the order of their keys; the first mistake in the file is the one told.
    if (error_ && source.begin.line >= line_) return;
    line_ = source.begin.line;
    error_ = Error{ErrorKind::invalid, "bad_configuration",
                   fmt::format("cannot read configuration '{}': {}", place(source), cause),
                   std::move(remedy)};
  }

 private:
  void unknown(const toml::key& key, std::string_view prefix) {
    std::vector<std::string> names;
    for (const auto& known : known_settings) names.emplace_back(known.key);
    auto meant = prefix.empty() ? text::nearest(key.str(), names) : std::nullopt;
    refuse(key.source(), fmt::format("unknown key '{}{}'", prefix, text::one_line(key.str())),
           meant ? fmt::format("did you mean '{}'?", *meant)
                 : fmt::format("it can have {}, [images.aliases], [languages] and [limits]",
                               fmt::join(names, ", ")));
  }

  void read_setting(const toml::key& key, const toml::node& node) {
    const auto* known = std::ranges::find(known_settings, key.str(), &Known::key);
    if (known == known_settings.end()) return unknown(key, "");
    auto texts = texts_of(node, known->kind);
    if (!texts) {
      return refuse(node.source(),
                    fmt::format("'{}' must be {}", known->key, expected(known->kind)), {});
    }
    config_.settings[std::string{known->key}] = {std::move(*texts), place(key.source())};
  }

  /// A table that others know how to read; they name the key, the line is the table's.
  template <class T, class Read>
  void read_whole(const toml::key& key, const toml::node& node, std::optional<T>& into, Read read) {
    auto value = read(json::from_toml(node));
    if (value) {
      into = std::move(*value);
    } else {
      refuse(key.source(), value.error().message, value.error().remedy);
    }
  }

  void read_images(const toml::table& images) {
    for (const auto& [key, node] : images) {
      if (key.str() != "aliases" || !node.is_table()) {
        unknown(key, "images.");
      } else {
        config_.aliases.emplace();
        for (const auto& [name, image] : *node.as_table()) read_alias(name, image);
      }
    }
  }

  void read_alias(const toml::key& key, const toml::node& node) {
    const auto* value = node.as_string();
    auto name = engine::ImageReference::parse(key.str());
    auto image = engine::ImageReference::parse(value == nullptr ? "" : value->get());
    if (!name || !image) {
      return refuse(
          key.source(),
          fmt::format("alias '{}' must map one image to another", text::one_line(key.str())),
          R"(write it like "python:3.11-alpine" = "gantry/python:latest")");
    }
    config_.aliases->insert_or_assign(name->familiar(), image->familiar());
  }

  std::string file_;
  ConfigFile config_;
  std::optional<Error> error_;
  toml::source_index line_ = 0;
};

Error bad_value(const Given& given, std::string_view expectation) {
  return {ErrorKind::invalid,
          "bad_setting",
          fmt::format("cannot use '{}' of {}: it must be {}",
                      text::one_line(fmt::format("{}", fmt::join(given.texts, ","))), given.origin,
                      expectation),
          {}};
}

}  // namespace

Settings settings_of_environment(const Variables& variables) {
  Settings settings;
  for (const auto& known : known_settings) {
    auto name = variable_of(known.key);
    auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) continue;
    Given given{{}, name};
    if (known.kind == Kind::texts) {
      for (auto text : text::split(found->second, ','))
        given.texts.emplace_back(text::trimmed(text));
    } else {
      given.texts = {found->second};
    }
    settings[std::string{known.key}] = std::move(given);
  }
  return settings;
}

Result<ConfigFile> parse_config(std::string_view text, const std::string& file) {
  Reader reader{file};
  auto parsed = toml::parse(text, file);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(ErrorKind::invalid, "bad_configuration",
                fmt::format("cannot read configuration '{}': {}", reader.place(error.source()),
                            text::one_line(error.description())));
  }
  return reader.read(parsed.table());
}

Settings merged(Settings weaker, const Settings& stronger) {
  for (const auto& [key, given] : stronger) weaker.insert_or_assign(key, given);
  return weaker;
}

std::string text_setting(const Settings& settings, std::string_view key, std::string fallback) {
  auto found = settings.find(key);
  return found == settings.end() ? std::move(fallback) : found->second.texts.front();
}

Result<std::size_t> number_setting(const Settings& settings, std::string_view key,
                                   std::size_t fallback, std::size_t max, std::size_t min) {
  auto found = settings.find(key);
  if (found == settings.end()) return fallback;
  const auto& text = found->second.texts.front();
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < min || number > max) {
    return fail(bad_value(found->second, fmt::format("a whole number from {} to {}", min, max)));
  }
  return number;
}

Result<std::size_t> word_setting(const Settings& settings, std::string_view key,
                                 std::size_t fallback, const std::vector<std::string>& words) {
  auto found = settings.find(key);
  if (found == settings.end()) return fallback;
  auto word = std::ranges::find(words, found->second.texts.front());
  if (word == words.end()) {
    return fail(bad_value(found->second, fmt::format("one of {}", fmt::join(words, ", "))));
  }
  return static_cast<std::size_t>(word - words.begin());
}

Result<bool> switch_setting(const Settings& settings, std::string_view key) {
  auto found = settings.find(key);
  if (found == settings.end()) return false;
  auto text = text::lowered(found->second.texts.front());
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return fail(bad_value(found->second, "true or false"));
}

}  // namespace gantry::main
