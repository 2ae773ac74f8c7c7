#include "sandbox/program.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "engine/image_reference.hpp"
#include "sandbox/workspace.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t path_max = 512;
constexpr std::size_t component_max = 255;
constexpr auto* box = "/box";

/// What of a request only matters until its language is known.
struct Request {
  std::optional<std::string> source;
  std::optional<std::string> entry;
};

std::string read_content(json::Fields& fields) {
  auto content =
      fields.text("content", {0, program_limits.files_bytes_max * 2}).value_or(std::string{});
  auto encoding = fields.text("encoding").value_or("utf8");
  if (encoding == "utf8") return content;
  if (encoding != "base64" && encoding != "hex") {
    fields.refuse("encoding", "must be 'utf8', 'base64' or 'hex'");
    return {};
  }
  auto bytes = encoding == "hex" ? encoding::from_hex(content) : encoding::from_base64(content);
  if (!bytes) fields.refuse("content", fmt::format("must be {}", encoding));
  return std::move(bytes).value_or("");
}

File read_file(const json::Value& item, const std::string& where, json::Fields& outer) {
  json::Fields fields{item, where, json::Keys::strict};
  File file;
  file.path = fields.required_text("path", {1, path_max});
  file.content = read_content(fields);
  if (fields.boolean("executable").value_or(false)) file.mode = File::Mode::executable;
  if (auto path = check_file_path(file.path); !path && !fields.refused()) {
    fields.refuse("path", path.error().message);
  }
  if (auto read = fields.finish(); !read) outer.adopt(read.error());
  return file;
}

void read_files(json::Fields& fields, Program& program) {
  const auto* items = fields.array("files", program_limits.files_max);
  if (items == nullptr) return;
  std::set<std::string> seen;
  std::size_t total = 0;
  for (std::size_t i = 0; i < items->size() && !fields.refused(); ++i) {
    auto file = read_file((*items)[i], fmt::format("files[{}]", i), fields);
    total += file.content.size();
    if (!seen.insert(file.path).second) {
      fields.refuse("files", fmt::format("names '{}' twice", text::one_line(file.path)));
    }
    if (total > program_limits.files_bytes_max) {
      fields.refuse("files", fmt::format("must hold at most {} bytes together",
                                         program_limits.files_bytes_max));
    }
    program.files.push_back(std::move(file));
  }
}

/// A file can not be the folder of another one.
void check_folders(json::Fields& fields, const Program& program) {
  std::set<std::string_view> paths;
  for (const auto& file : program.files) paths.insert(file.path);
  for (std::string_view path : paths) {
    for (auto end = path.find('/'); end != path.npos; end = path.find('/', end + 1)) {
      if (!paths.contains(path.substr(0, end))) continue;
      fields.refuse("files", fmt::format("has '{}' both as a file and as a folder",
                                         text::one_line(path.substr(0, end))));
    }
  }
}

void read_environment(json::Fields& fields, Program& program) {
  program.env = fields.text_map("env", program_limits.env_max, {0, program_limits.text_max});
  for (const auto& [name, value] : program.env) {
    bool sound = !name.empty() && name.size() <= component_max &&
                 name.find_first_of(std::string_view{"=\0", 2}) == std::string::npos &&
                 value.find('\0') == std::string::npos;
    if (!sound) fields.refuse("env", "must have names without '=' and no NUL anywhere");
  }
}

/// What exec(2) takes at once is bounded; the image's own variables come on top.
void check_total(json::Fields& fields, const Program& program) {
  std::size_t total = 0;
  for (const auto& word : program.command) total += word.size() + 1;
  for (const auto& [name, value] : program.env) total += name.size() + value.size() + 2;
  if (total > program_limits.exec_max) {
    fields.refuse("args", fmt::format("and 'env' must have at most {} bytes together, not {}",
                                      program_limits.exec_max, total));
  }
}

/// The file a language starts with: the named one, the source, or the first file that has one of
/// the language's extensions. A source is added to the files under its name.
std::string entry_of(const Language& language, json::Fields& fields, Request& request,
                     Program& program) {
  auto exists = [&](const std::string& path) {
    return std::ranges::find(program.files, path, &File::path) != program.files.end();
  };
  if (request.source) {
    auto entry = request.entry.value_or(language.entry_file);
    if (exists(entry)) {
      fields.refuse("files", fmt::format("has '{}', which is what 'source' is called",
                                         text::one_line(entry)));
    }
    program.files.insert(program.files.begin(), File{entry, std::move(*request.source), {}});
    return entry;
  }
  if (request.entry) {
    if (!exists(*request.entry)) fields.refuse("entry", "is none of 'files'");
    return *request.entry;
  }
  for (const auto& file : program.files) {
    if (file.path == language.entry_file) return file.path;
  }
  for (const auto& file : program.files) {
    if (language.has_extension(file.path)) return file.path;
  }
  fields.refuse("source",
                fmt::format("is missing, and no file ends in '{}'", language.extensions.front()));
  return {};
}

/// The time a compilation may take: as asked, within the bounds of the program's own times.
Compile read_compile(json::Fields& outer, const Language& language, const PolicyBounds& bounds) {
  Compile compile;
  const auto* value = outer.member("compile_limits");
  const json::Value nothing(json::Object{});
  json::Fields fields{value == nullptr ? nothing : *value, "compile_limits", json::Keys::strict};
  auto read = [&](std::string_view field, Milliseconds usual) {
    const auto& bound = bounds.number(field);
    auto min = static_cast<std::int64_t>(bound.min);
    auto max = static_cast<std::int64_t>(bound.max);
    auto time = fields.integer(field, {min, max});
    return Milliseconds{time.value_or(std::clamp(std::int64_t{usual.count()}, min, max))};
  };
  compile.wall_time = read("wall_time_ms", language.compile_time);
  compile.cpu_time = read("cpu_time_ms", compile.wall_time);
  if (auto done = fields.finish(); !done) outer.adopt(done.error());
  return compile;
}

void read_language(json::Fields& fields, const Language& language, Request& request,
                   Program& program, const PolicyBounds& bounds) {
  program.language = language.name;
  if (program.image.empty()) program.image = language.image;
  if (!program.command.empty()) {
    fields.refuse("command",
                  "can not be given together with 'language'; use 'image' and 'command'");
  }
  program.entry = entry_of(language, fields, request, program);
  CommandFiles files{.entry = program.entry, .paths = {}};
  for (const auto& file : program.files) files.paths.push_back(file.path);
  if (!language.compile.empty()) {
    program.compile = read_compile(fields, language, bounds);
    program.compile->command = command_of(language, language.compile, files);
  } else if (fields.member("compile_limits") != nullptr) {
    fields.refuse("compile_limits",
                  fmt::format("mean nothing: {} is not compiled beforehand", language.name));
  }
  if (!program.working_dir.empty()) files.box = box;
  program.command = command_of(language, language.run, files);
  for (const auto& [name, value] : language.env) {
    auto given = std::ranges::find(program.env, name, [](const auto& one) { return one.first; });
    if (given == program.env.end()) program.env.emplace_back(name, value);
  }
}

void refuse_without_language(json::Fields& fields, const Request& request, const Program& program) {
  if (program.image.empty()) {
    fields.refuse("language", "is missing (or give 'image' and 'command')");
  } else if (program.command.empty() || program.command.front().empty()) {
    fields.refuse("command", "is missing: an image without a language needs one");
  } else if (request.source) {
    fields.refuse("source", "needs a 'language'; send 'files' with an 'image'");
  } else if (request.entry) {
    fields.refuse("entry", "needs a 'language'; name the file in 'command'");
  } else if (fields.member("compile_limits") != nullptr) {
    fields.refuse("compile_limits", "need a 'language' that is compiled");
  }
}

/// A path below /box, or an empty one for /box itself.
std::string read_path(json::Fields& fields, std::string_view key) {
  auto path = fields.text(key, {1, path_max}).value_or("");
  if (path.empty()) return path;
  if (auto checked = check_file_path(path); !checked) fields.refuse(key, checked.error().message);
  return path;
}

void read_image(json::Fields& fields, Program& program) {
  program.image = fields.text("image", {1, 512}).value_or("");
  if (program.image.empty()) return;
  auto reference = engine::ImageReference::parse(program.image);
  if (!reference) fields.refuse("image", reference.error().message);
}

const Language* find_language(json::Fields& fields, const Languages& languages) {
  auto name = fields.text("language", {1, 64});
  if (!name) return nullptr;
  const auto* language = languages.find(*name);
  if (language == nullptr) {
    fields.refuse("language",
                  fmt::format("'{}' is unknown; it can be {}",
                              text::shortened(text::one_line(*name), 40), languages.names()));
  }
  return language;
}

void check_working_dir(json::Fields& fields, const Program& program) {
  for (const auto& file : program.files) {
    if (program.working_dir == file.path ||
        program.working_dir.starts_with(fmt::format("{}/", file.path))) {
      fields.refuse("working_dir",
                    fmt::format("leads into '{}', which is a file", text::one_line(file.path)));
    }
  }
}

}  // namespace

std::string entry_content(const Program& program) {
  auto entry = std::ranges::find(program.files, program.entry, &File::path);
  return program.entry.empty() || entry == program.files.end() ? std::string{} : entry->content;
}

Result<> check_file_path(const std::string& path) {
  auto wrong = [](std::string reason) {
    return fail(ErrorKind::invalid, "invalid_path", std::move(reason));
  };
  if (path.empty() || path.size() > path_max) return wrong("must have 1 to 512 bytes");
  if (path.front() == '/') return wrong("must be relative to the work folder");
  if (path.find('\0') != std::string::npos) return wrong("must not hold NUL");
  for (auto component : text::split(path, '/')) {
    if (component.empty() || component == "." || component == "..") {
      return wrong("must not have empty, '.' or '..' components");
    }
    if (component.size() > component_max) return wrong("has a component of over 255 bytes");
  }
  return ok;
}

Program read_program(json::Fields& fields, const Languages& languages, const PolicyBounds& bounds) {
  Program program;
  Request request;
  const auto* language = find_language(fields, languages);
  read_image(fields, program);
  program.command = fields.texts("command", program_limits.args_max, {0, program_limits.text_max});
  request.source = fields.text("source", {0, program_limits.source_max});
  if (auto entry = read_path(fields, "entry"); !entry.empty()) request.entry = entry;
  program.working_dir = read_path(fields, "working_dir");
  read_files(fields, program);
  auto args = fields.texts("args", program_limits.args_max, {0, program_limits.text_max});
  read_environment(fields, program);
  program.input = fields.text("stdin", {0, program_limits.input_max}).value_or("");

  if (language != nullptr) {
    read_language(fields, *language, request, program, bounds);
  } else {
    refuse_without_language(fields, request, program);
  }
  for (const auto& word : program.command) {
    if (word.find('\0') != std::string::npos) fields.refuse("command", "must not hold NUL");
  }
  for (auto& arg : args) {
    if (arg.find('\0') != std::string::npos) fields.refuse("args", "must not hold NUL");
    program.command.push_back(std::move(arg));
  }
  check_folders(fields, program);
  check_working_dir(fields, program);
  check_total(fields, program);
  return program;
}

namespace {

/// What is kept would lie where a file of the request is to be.
void check_workspace(json::Fields& fields, const Submission& submission) {
  if (submission.policy.filesystem != Filesystem::workspace) return;
  for (const auto& file : submission.program.files) {
    if (file.path.substr(0, file.path.find('/')) != workspace_folder) continue;
    fields.refuse("files", fmt::format("must not have '{}': '{}' is the folder that is kept",
                                       text::one_line(file.path), workspace_folder));
  }
}

}  // namespace

Submission read_submission(json::Fields& fields, const Languages& languages,
                           const PolicyBounds& bounds) {
  Submission submission;
  submission.program = read_program(fields, languages, bounds);
  const auto* language = languages.find(submission.program.language);
  const auto* limits = fields.member("limits");
  const json::Value nothing(json::Object{});
  auto policy = (language == nullptr ? bounds : bounds.preferring(language->limits))
                    .read(limits == nullptr ? nothing : *limits);
  if (policy) {
    submission.policy = std::move(*policy);
    check_workspace(fields, submission);
  } else {
    fields.adopt(std::move(policy.error()));
  }
  return submission;
}

}  // namespace gantry::sandbox
