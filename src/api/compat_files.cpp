#include "api/compat_files.hpp"

#include "base/text.hpp"
#include "sandbox/zip.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

// What comes with a script to POST /execute.
namespace gantry::api {
namespace {

constexpr std::array<std::string_view, 32> extensions{
    "txt", "py",  "js",  "html", "css",  "json", "xml", "csv",        "md",         "yml",  "yaml",
    "sh",  "bat", "sql", "log",  "conf", "cfg",  "ini", "properties", "dockerfile", "java", "cpp",
    "c",   "h",   "hpp", "go",   "rs",   "php",  "rb",  "pl",         "r",          "scala"};

constexpr std::string_view folder = "files/";
constexpr std::size_t mib = 1U << 20U;

std::unexpected<Error> refused(std::string message) {
  return fail(ErrorKind::invalid, "invalid_request", std::move(message));
}

std::string shown(std::string_view name) { return text::shortened(text::one_line(name), 200); }

bool is_archive(std::string_view name) { return text::lowered(name).ends_with(".zip"); }

class Collector {
 public:
  Result<> add(const net::http::FormPart& part) {
    const auto& name = *part.file_name;
    const auto& limits = attachment_limits;
    if (part.content.size() > limits.file_max) {
      return refused(fmt::format("File {} exceeds maximum size limit of {}MB", shown(name),
                                 limits.file_max / mib));
    }
    sent_ += part.content.size();
    if (sent_ > limits.total_max) {
      return refused(
          fmt::format("Total file size exceeds maximum limit of {}MB", limits.total_max / mib));
    }
    bool taken = is_archive(name) ? unpack(name, part.content) : keep(name, part.content);
    if (!taken || in_the_way()) {
      return refused(fmt::format("Failed to process file: {}", shown(name)));
    }
    return ok;
  }

  Attachments take() { return std::move(found_); }

 private:
  bool keep(std::string_view name, std::string_view content) {
    auto safe = secure_file_name(name);
    if (safe.empty() || !may_be_attached(name)) return false;
    if (std::ranges::find(found_.names, safe) == found_.names.end()) found_.names.push_back(safe);
    return put({.path = fmt::format("{}{}", folder, safe), .content = std::string{content}});
  }

  bool unpack(const std::string& name, std::string_view content) {
    sandbox::zip::Limits limits{.files_max = attachment_limits.unpacked_files_max - unpacked_files_,
                                .file_bytes_max = attachment_limits.file_max,
                                .bytes_max = attachment_limits.unpacked_max - unpacked_};
    auto files = sandbox::zip::unpack(content, limits, may_be_attached);
    if (!files) return false;
    Attachments::Extraction extraction{.archive = name};
    for (auto& file : *files) {
      unpacked_ += file.content.size();
      extraction.paths.push_back(file.path);
      file.path.insert(0, folder);
      if (!put(std::move(file))) return false;
    }
    unpacked_files_ += files->size();
    found_.names.push_back(fmt::format("{} (ZIP - {} files extracted)", name, files->size()));
    found_.extractions.push_back(std::move(extraction));
    return true;
  }

  /// A path that comes again has its last content.
  bool put(sandbox::File file) {
    if (!sandbox::check_file_path(file.path)) return false;
    found_.bytes += file.content.size();
    auto known = std::ranges::find(found_.files, file.path, &sandbox::File::path);
    if (known == found_.files.end()) {
      found_.files.push_back(std::move(file));
    } else {
      found_.bytes -= known->content.size();
      *known = std::move(file);
    }
    return true;
  }

  /// Whether a file stands where another one has its folder.
  bool in_the_way() const {
    std::set<std::string_view> paths;
    for (const auto& file : found_.files) paths.insert(file.path);
    for (auto path : paths) {
      for (auto end = path.find('/'); end != path.npos; end = path.find('/', end + 1)) {
        if (paths.contains(path.substr(0, end))) return true;
      }
    }
    return false;
  }

  Attachments found_;
  std::size_t sent_ = 0;
  std::size_t unpacked_ = 0;
  std::size_t unpacked_files_ = 0;
};

bool is_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

}  // namespace

bool may_be_attached(std::string_view name) {
  auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  return std::ranges::find(extensions, text::lowered(name.substr(dot + 1))) != extensions.end();
}

std::string secure_file_name(std::string_view name) {
  std::string words;
  bool gap = false;
  for (char c : name) {
    if (c == '/' || c == ' ' || (c >= '\t' && c <= '\r')) {
      gap = !words.empty();
    } else {
      if (std::exchange(gap, false)) words += '_';
      if (is_safe(c)) words += c;
    }
  }
  auto first = std::min(words.find_first_not_of("._"), words.size());
  auto last = words.find_last_not_of("._");
  return words.substr(first, last == std::string::npos ? 0 : last + 1 - first);
}

Result<Attachments> attach(const std::vector<net::http::FormPart>& parts) {
  Collector collector;
  for (const auto& part : parts) {
    if (part.name != "files" || !part.file_name || part.file_name->empty()) continue;
    if (auto added = collector.add(part); !added) return fail(std::move(added.error()));
  }
  return collector.take();
}

std::string with_our_folder(std::string_view script) {
  constexpr std::string_view theirs = "/workspace";
  std::string out;
  for (std::size_t at = 0;;) {
    auto found = std::min(script.find(theirs, at), script.size());
    out += script.substr(at, found - at);
    if (found == script.size()) return out;
    auto behind = found + theirs.size();
    bool begins = found == 0 || (!is_safe(script[found - 1]) && script[found - 1] != '/' &&
                                 script[found - 1] != '}');
    bool ends = behind == script.size() || !is_safe(script[behind]);
    out += begins && ends ? "/box" : theirs;
    at = behind;
  }
}

}  // namespace gantry::api
