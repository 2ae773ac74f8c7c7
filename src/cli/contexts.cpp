#include "cli/contexts.hpp"

#include "base/text.hpp"
#include "base/toml.hpp"

#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace gantry::cli {
namespace fs = std::filesystem;
namespace {

Error bad_contexts(const std::string& file, std::string_view cause) {
  return {ErrorKind::invalid, "bad_contexts",
          fmt::format("cannot read contexts '{}': {}", file, text::one_line(cause)),
          "mend the file, or remove it and add the contexts again"};
}

Error not_written(const fs::path& path) {
  return {ErrorKind::unavailable, "contexts_not_written",
          fmt::format("cannot write contexts '{}'", path.string()),
          "check the folder's owner and its free space"};
}

}  // namespace

Result<Contexts> parse_contexts(std::string_view text, const std::string& file) {
  auto parsed = toml::parse(text, file);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(bad_contexts(
        file, fmt::format("line {}: {}", error.source().begin.line, error.description())));
  }
  auto value = json::from_toml(parsed.table());
  json::Fields fields{value, "", json::Keys::strict};
  Contexts contexts;
  contexts.current = fields.text("current").value_or("");
  if (const auto* all = fields.member("contexts"); all != nullptr && all->is_object()) {
    for (const auto& [name, one] : all->as_object()) {
      json::Fields members{one, fmt::format("contexts.{}", std::string_view{name}),
                           json::Keys::strict};
      ServerContext context{members.required_text("server"),
                            members.text("token_file").value_or("")};
      if (auto read = members.finish(); !read) fields.adopt(read.error());
      contexts.all.emplace(name, std::move(context));
    }
  }
  if (auto read = fields.finish(); !read) return fail(bad_contexts(file, read.error().message));
  return contexts;
}

std::string contexts_text(const Contexts& contexts) {
  std::string out = "# The servers that 'gantry context' knows.\n";
  if (!contexts.current.empty()) {
    out += fmt::format("current = {}\n", text::json_quoted(contexts.current));
  }
  for (const auto& [name, one] : contexts.all) {
    out += fmt::format("\n[contexts.{}]\nserver = {}\n", text::json_quoted(name),
                       text::json_quoted(one.server));
    if (!one.token_file.empty()) {
      out += fmt::format("token_file = {}\n", text::json_quoted(one.token_file));
    }
  }
  return out;
}

Result<Contexts> read_contexts(const fs::path& folder) {
  auto path = folder / Contexts::file_name;
  std::error_code failed;
  if (!fs::exists(path, failed)) return Contexts{};
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file) return fail(bad_contexts(path.string(), "it can not be read"));
  return parse_contexts(text, path.string());
}

Result<> write_contexts(const fs::path& folder, const Contexts& contexts) {
  auto path = folder / Contexts::file_name;
  auto fresh = path;
  fresh += ".new";
  std::error_code failed;
  fs::create_directories(folder, failed);
  int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail(not_written(path));
  auto text = contexts_text(contexts);
  bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  written = ::close(file) == 0 && written;
  if (written) fs::rename(fresh, path, failed);
  if (!written || failed) return fail(not_written(path));
  return ok;
}

}  // namespace gantry::cli
