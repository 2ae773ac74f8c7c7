#include "api/json_text.hpp"
#include "api/piston.hpp"
#include "api/semver.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

// A job of Piston, read as Piston reads it and handed on as a request of our own: what our own API
// refuses is refused here, too.
namespace gantry::api::piston {
namespace {

std::unexpected<Error> wrong(std::string message, std::string code = "invalid_job") {
  return fail(ErrorKind::invalid, std::move(code), std::move(message));
}

/// The member as a text; nothing when it is absent, empty or something else.
std::optional<std::string> filled_text(const json::Object& body, std::string_view key) {
  const auto* value = body.if_contains(key);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return std::string{std::string_view{value->get_string()}};
}

std::string shown(std::string_view text) { return text::shortened(text::one_line(text), 100); }

/// What JavaScript takes for nothing.
bool is_falsy(const json::Value* value) {
  if (value == nullptr || value->is_null()) return true;
  if (const auto* flag = value->if_bool()) return !*flag;
  if (value->is_number()) return value->to_number<double>() == 0.0;
  const auto* text = value->if_string();
  return text != nullptr && text->empty();
}

/// One of `run_timeout`, `compile_memory_limit` and their like.
class Wish {
 public:
  Wish(const json::Object& body, std::string name) : name_{std::move(name)} {
    const auto* value = body.if_contains(name_);
    if (is_falsy(value)) return;
    if (value->is_number()) {
      amount_ = value->to_number<double>();
    } else {
      refuse("If specified, {} must be a number");
    }
  }
  /// Checks it against the configured limit; a negative memory limit means none.
  Wish& within(double limit, bool negative_is_none) {
    if (!amount_ || error_) return *this;
    if (negative_is_none && *amount_ < 0) {
      amount_.reset();
    } else if (*amount_ > limit) {
      error_ = fmt::format("{} cannot exceed the configured limit of {:.0f}", name_, limit);
    } else if (*amount_ < 0) {
      refuse("{} must be non-negative");
    }
    return *this;
  }
  const std::optional<std::string>& error() const { return error_; }
  std::optional<double> amount() const { return error_ ? std::nullopt : amount_; }
  std::int64_t ms_or(std::int64_t usual) const {
    return amount_ ? std::max<std::int64_t>(1, std::llround(std::floor(*amount_))) : usual;
  }

 private:
  void refuse(std::string_view pattern) { error_ = fmt::format(fmt::runtime(pattern), name_); }

  std::string name_;
  std::optional<double> amount_;
  std::optional<std::string> error_;
};

/// The path of a file below the work folder, as Node's path.join makes it; nothing when it leaves.
std::optional<std::string> joined(std::string_view name) {
  std::vector<std::string_view> parts;
  for (auto part : text::split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  std::string path;
  for (auto part : parts) path += fmt::format("{}{}", path.empty() ? "" : "/", part);
  return path;
}

struct Files {
  json::Array items;  ///< As our own API takes them.
  std::string entry;
};

/// What an unnamed file is called, and what a compiler needs its input to be called.
std::string entry_name(const sandbox::Language& language, std::string path, bool named) {
  if (!named) return language.entry_file;
  bool renamed = !language.compile.empty() && !language.has_extension(path);
  return renamed ? path + language.extensions.front() : path;
}

Result<Files> read_files(const json::Array& given, const sandbox::Language& language) {
  Files files;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& file = given[i].get_object();
    auto encoding = filled_text(file, "encoding").value_or("utf8");
    if (encoding != "base64" && encoding != "hex") encoding = "utf8";
    auto name = filled_text(file, "name");
    auto path = joined(name.value_or(fmt::format("file{}.code", i)));
    if (!path) {
      return wrong(fmt::format("File path \"{}\" tries to escape parent directory", shown(*name)),
                   "path_escapes");
    }
    if (files.entry.empty() && encoding == "utf8") {
      files.entry = entry_name(language, std::move(*path), name.has_value());
      path = files.entry;
    }
    files.items.push_back(
        json::Object{{"path", *path}, {"content", file.at("content")}, {"encoding", encoding}});
  }
  if (files.entry.empty()) return wrong("files must include at least one utf8 encoded file");
  return files;
}

Result<const json::Array*> check_files(const json::Object& body) {
  const auto* given = body.if_contains("files");
  if (given == nullptr || !given->is_array()) return wrong("files is required as an array");
  const auto& files = given->get_array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto* file = files[i].if_object();
    const auto* content = file == nullptr ? nullptr : file->if_contains("content");
    if (content == nullptr || !content->is_string()) {
      return wrong(fmt::format("files[{}].content is required as a string", i));
    }
  }
  return &files;
}

/// A text is as good as an array of its characters, as JavaScript spreads it; numbers are said as
/// texts.
Result<json::Array> read_args(const json::Object& body) {
  json::Array args;
  const auto* given = body.if_contains("args");
  if (given == nullptr || given->is_null()) return args;
  if (const auto* text = given->if_string()) {
    auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; };
    for (std::size_t at = 0; at < text->size();) {
      auto end = at + 1;
      while (end < text->size() && continues((*text)[end])) ++end;
      args.emplace_back(std::string_view{*text}.substr(at, end - at));
      at = end;
    }
    return args;
  }
  if (!given->is_array()) return wrong("args must be an array of strings");
  for (const auto& arg : given->get_array()) {
    if (arg.is_string()) {
      args.push_back(arg);
    } else if (arg.is_number() || arg.is_bool()) {
      args.emplace_back(json_text(arg));
    } else {
      return wrong("args must be an array of strings");
    }
  }
  return args;
}

/// The standard input ends with its line, as Piston sees to.
Result<std::string> read_input(const json::Object& body) {
  const auto* given = body.if_contains("stdin");
  if (given == nullptr || given->is_null()) return std::string{};
  if (!given->is_string()) return wrong("stdin must be a string");
  std::string input{std::string_view{given->get_string()}};
  if (!input.empty() && input.back() != '\n') input += '\n';
  return input;
}

/// The six limits of a job, each against what the server allows.
struct Wishes {
  Wish compile_memory;
  Wish run_memory;
  Wish compile_time;
  Wish run_time;
  Wish compile_cpu;
  Wish run_cpu;

  /// In the order in which Piston looks at them.
  std::optional<std::string> error() const {
    for (const auto* wish :
         {&compile_memory, &run_memory, &compile_time, &run_time, &compile_cpu, &run_cpu}) {
      if (wish->error()) return wish->error();
    }
    return std::nullopt;
  }
};

/// What a job may take at most, on this server and in this language.
struct Ceilings {
  std::int64_t run_ms;
  std::int64_t run_cpu_ms;
  std::int64_t compile_ms;
  std::int64_t compile_cpu_ms;
  double memory;

  Ceilings(const sandbox::Language& language, const sandbox::PolicyBounds& bounds)
      : memory{bounds.number("memory_bytes").max} {
    auto wall = std::llround(bounds.number("wall_time_ms").max);
    auto cpu = std::llround(bounds.number("cpu_time_ms").max);
    auto compile = std::max(compile_time_max_ms, std::int64_t{language.compile_time.count()});
    run_ms = std::min<std::int64_t>(run_time_max_ms, wall);
    run_cpu_ms = std::min<std::int64_t>(run_time_max_ms, cpu);
    compile_ms = std::min<std::int64_t>(compile, wall);
    compile_cpu_ms = std::min<std::int64_t>(compile, cpu);
  }
};

Wishes read_wishes(const json::Object& body, const Ceilings& most) {
  auto time = [&](const char* name, std::int64_t max) {
    return Wish{body, name}.within(static_cast<double>(max), false);
  };
  auto memory = [&](const char* name) { return Wish{body, name}.within(most.memory, true); };
  return {.compile_memory = memory("compile_memory_limit"),
          .run_memory = memory("run_memory_limit"),
          .compile_time = time("compile_timeout", most.compile_ms),
          .run_time = time("run_timeout", most.run_ms),
          .compile_cpu = time("compile_cpu_time", most.compile_cpu_ms),
          .run_cpu = time("run_cpu_time", most.run_cpu_ms)};
}

/// Both stages share a container and its memory: a compiler's need holds for both.
std::optional<std::int64_t> memory_of(const Wishes& wishes, const sandbox::Language& language,
                                      const sandbox::PolicyBounds& bounds) {
  auto wanted = wishes.run_memory.amount();
  const auto& bound = bounds.number("memory_bytes");
  if (!language.compile.empty()) {
    auto usual = bounds.preferring(language.limits).number("memory_bytes").usual;
    auto compiler = wishes.compile_memory.amount().value_or(usual);
    wanted = std::max(compiler, wanted.value_or(usual));
  }
  if (!wanted) return std::nullopt;
  return std::llround(std::clamp(std::floor(*wanted), bound.min, bound.max));
}

bool may_end_at_cap(const sandbox::PolicyBounds& bounds) {
  return std::ranges::any_of(bounds.modes(), [](const sandbox::Choice& choice) {
    return choice.field == "on_output_cap" &&
           std::ranges::find(choice.allowed, "end") != choice.allowed.end();
  });
}

json::Object limits_of(const Wishes& wishes, const Ceilings& most,
                       const sandbox::Language& language, const sandbox::PolicyBounds& bounds) {
  json::Object limits{{"wall_time_ms", wishes.run_time.ms_or(most.run_ms)},
                      {"cpu_time_ms", wishes.run_cpu.ms_or(most.run_cpu_ms)}};
  if (auto memory = memory_of(wishes, language, bounds)) limits["memory_bytes"] = *memory;
  if (may_end_at_cap(bounds)) limits["on_output_cap"] = "end";
  return limits;
}

/// The job as our own API would be asked for it.
Result<json::Object> request_of(const json::Object& body, const json::Array& given_files,
                                const sandbox::Language& language,
                                const sandbox::PolicyBounds& bounds) {
  auto files = read_files(given_files, language);
  if (!files) return fail(std::move(files.error()));
  Ceilings most{language, bounds};
  auto wishes = read_wishes(body, most);
  if (auto error = wishes.error()) return wrong(std::move(*error));
  auto args = read_args(body);
  if (!args) return fail(std::move(args.error()));
  auto input = read_input(body);
  if (!input) return fail(std::move(input.error()));
  json::Object request{
      {"language", language.name},        {"files", std::move(files->items)},
      {"entry", std::move(files->entry)}, {"args", std::move(*args)},
      {"stdin", std::move(*input)},       {"limits", limits_of(wishes, most, language, bounds)}};
  if (!language.compile.empty()) {
    request["compile_limits"] =
        json::Object{{"wall_time_ms", wishes.compile_time.ms_or(most.compile_ms)},
                     {"cpu_time_ms", wishes.compile_cpu.ms_or(most.compile_cpu_ms)}};
  }
  return request;
}

const sandbox::Language* matching(const sandbox::Languages& languages, const std::string& name,
                                  const std::string& range) {
  const auto* language = languages.find(name);
  if (language == nullptr) return nullptr;
  auto version = semver::parse(version_of(*language)).value_or(semver::Version{});
  return semver::satisfies(version, range) ? language : nullptr;
}

}  // namespace

Result<Job> read_job(const json::Value& body, const sandbox::Languages& languages,
                     const sandbox::PolicyBounds& bounds) {
  const json::Object nothing;
  const auto& object = body.is_object() ? body.get_object() : nothing;
  auto name = filled_text(object, "language");
  if (!name) return wrong("language is required as a string");
  auto range = filled_text(object, "version");
  if (!range) return wrong("version is required as a string");
  auto files = check_files(object);
  if (!files) return fail(std::move(files.error()));
  const auto* language = matching(languages, *name, *range);
  if (language == nullptr) {
    return wrong(fmt::format("{}-{} runtime is unknown", shown(*name), shown(*range)));
  }
  auto request = request_of(object, **files, *language, bounds);
  if (!request) return fail(std::move(request.error()));
  const json::Value ours(std::move(*request));
  json::Fields fields{ours, "", json::Keys::strict};
  Job job{.language = language->name,
          .version = version_of(*language),
          .submission = sandbox::read_submission(fields, languages, bounds)};
  if (auto read = fields.finish(); !read) return fail(std::move(read.error()));
  return job;
}

std::string version_of(const sandbox::Language& language) {
  return semver::text(semver::parse(language.version).value_or(semver::Version{}));
}

}  // namespace gantry::api::piston
