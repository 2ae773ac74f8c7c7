#include "sandbox/program.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "engine/image_reference.hpp"
#include "sandbox/languages.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t path_max = 512;
constexpr std::size_t component_max = 255;

File read_file(const json::Value& item, const std::string& where, json::Fields& outer) {
  json::Fields fields{item, where, json::Keys::strict};
  File file;
  file.path = fields.required_text("path", {1, path_max});
  auto content = fields.text("content", {0, program_limits.files_bytes_max * 4 / 3 + 4});
  auto encoding = fields.text("encoding").value_or("utf8");
  if (fields.boolean("executable").value_or(false)) file.mode = File::Mode::executable;
  if (encoding == "base64") {
    auto bytes = encoding::from_base64(content.value_or(""));
    if (!bytes) fields.refuse("content", "must be base64");
    file.content = std::move(bytes).value_or("");
  } else if (encoding == "utf8") {
    file.content = std::move(content).value_or("");
  } else {
    fields.refuse("encoding", "must be 'utf8' or 'base64'");
  }
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

/// The file a language starts with: the source, or the first file that has its extension.
std::string entry_of(const Language& language, std::optional<std::string> source,
                     json::Fields& fields, Program& program) {
  if (source) {
    std::string entry{language.entry_file};
    if (std::ranges::find(program.files, entry, &File::path) != program.files.end()) {
      fields.refuse("files", fmt::format("has '{}', which is what 'source' is called", entry));
    }
    program.files.insert(program.files.begin(), File{entry, std::move(*source), {}});
    return entry;
  }
  for (const auto& file : program.files) {
    if (file.path.ends_with(language.extension) || file.path == language.entry_file) {
      return file.path;
    }
  }
  fields.refuse("source", fmt::format("is missing, and no file ends in '{}'", language.extension));
  return {};
}

void read_language(json::Fields& fields, const std::string& name, std::optional<std::string> source,
                   Program& program) {
  const auto* language = find_language(name);
  if (language == nullptr) {
    fields.refuse("language",
                  fmt::format("'{}' is unknown; it can be {}",
                              text::shortened(text::one_line(name), 40), language_names()));
    return;
  }
  program.language = language->name;
  if (program.image.empty()) program.image = language->image;
  if (!program.command.empty()) {
    fields.refuse("command",
                  "can not be given together with 'language'; use 'image' and 'command'");
  }
  for (auto part : language->command) program.command.emplace_back(part);
  program.entry = entry_of(*language, std::move(source), fields, program);
  program.command.push_back(program.entry);
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

Program read_program(json::Fields& fields) {
  Program program;
  auto language = fields.text("language", {1, 64});
  auto image = fields.text("image", {1, 512});
  program.command = fields.texts("command", program_limits.args_max, {0, program_limits.text_max});
  auto source = fields.text("source", {0, program_limits.source_max});
  read_files(fields, program);
  auto args = fields.texts("args", program_limits.args_max, {0, program_limits.text_max});
  read_environment(fields, program);
  program.input = fields.text("stdin", {0, program_limits.input_max}).value_or("");

  if (image) {
    if (auto reference = engine::ImageReference::parse(*image); !reference) {
      fields.refuse("image", reference.error().message);
    }
    program.image = *image;
  }
  if (language) {
    read_language(fields, *language, std::move(source), program);
  } else if (!image) {
    fields.refuse("language", "is missing (or give 'image' and 'command')");
  } else if (program.command.empty() || program.command.front().empty()) {
    fields.refuse("command", "is missing: an image without a language needs one");
  } else if (source) {
    fields.refuse("source", "needs a 'language'; send 'files' with an 'image'");
  }
  for (const auto& word : program.command) {
    if (word.find('\0') != std::string::npos) fields.refuse("command", "must not hold NUL");
  }
  for (auto& arg : args) {
    if (arg.find('\0') != std::string::npos) fields.refuse("args", "must not hold NUL");
    program.command.push_back(std::move(arg));
  }
  check_folders(fields, program);
  check_total(fields, program);
  return program;
}

}  // namespace gantry::sandbox
