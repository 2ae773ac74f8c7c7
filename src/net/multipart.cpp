#include "net/multipart.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

constexpr std::size_t boundary_max = 70;  // RFC 2046 section 5.1.1

std::unexpected<Error> malformed(std::string_view cause) {
  return fail(ErrorKind::invalid, "invalid_form",
              fmt::format("cannot read the multipart form: {}", cause));
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads `; name=value; name="value"` behind a field's own value.
class Parameters {
 public:
  explicit Parameters(std::string_view text) : rest_{text} {}

  std::optional<std::pair<std::string, std::string>> next() {
    auto semicolon = rest_.find(';');
    if (semicolon == std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(semicolon + 1);
    auto end = std::min(rest_.find_first_of("=;"), rest_.size());
    auto name = text::lowered(text::trimmed(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    if (!rest_.starts_with('=')) return std::pair{std::move(name), std::string{}};
    rest_.remove_prefix(1);
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    return std::pair{std::move(name), rest_.starts_with('"') ? quoted() : bare()};
  }

 private:
  /// Only quotes and backslashes are escaped: `C:\files\a.txt` comes unescaped from old browsers.
  std::string quoted() {
    std::string value;
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      bool escape = rest_.size() > 1 && rest_[0] == '\\' && (rest_[1] == '"' || rest_[1] == '\\');
      if (escape) rest_.remove_prefix(1);
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return value;
  }
  std::string bare() {
    auto end = std::min(rest_.find(';'), rest_.size());
    std::string value{text::trimmed(rest_.substr(0, end))};
    rest_.remove_prefix(end);
    return value;
  }

  std::string_view rest_;
};

/// `UTF-8''na%C3%AFve.txt` (RFC 5987), which curl and browsers do not send but libraries do.
std::optional<std::string> extended_value(std::string_view text) {
  constexpr std::string_view charset = "utf-8'";
  if (text::lowered(text.substr(0, charset.size())) != charset) return std::nullopt;
  auto quote = text.find('\'', charset.size());
  if (quote == std::string_view::npos) return std::nullopt;
  return encoding::from_percent(text.substr(quote + 1));
}

void read_disposition(std::string_view value, FormPart& part) {
  Parameters parameters{value};
  bool extended = false;
  while (auto parameter = parameters.next()) {
    auto& [name, text] = *parameter;
    if (name == "name") {
      part.name = std::move(text);
    } else if (name == "filename" && !extended) {
      part.file_name = std::move(text);
    } else if (name == "filename*") {
      if (auto decoded = extended_value(text)) {
        part.file_name = std::move(decoded);
        extended = true;
      }
    }
  }
}

Result<FormPart> read_head(std::string_view head) {
  FormPart part;
  while (!head.empty()) {
    auto end = std::min(head.find("\r\n"), head.size());
    auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    auto colon = std::min(line.find(':'), line.size());
    if (!text::iequals(text::trimmed(line.substr(0, colon)), "content-disposition")) continue;
    read_disposition(line.substr(colon), part);
  }
  if (part.name.empty()) return malformed("one of its parts has no name");
  return part;
}

/// What stands behind a delimiter: the end of its line, or `--`.
enum class Mark { part, end, none };

Mark read_mark(std::string_view& rest) {
  if (rest.starts_with("--")) return Mark::end;
  auto skipped = rest.find_first_not_of(" \t");
  if (skipped == std::string_view::npos || rest.substr(skipped, 2) != "\r\n") return Mark::none;
  rest.remove_prefix(skipped + 2);
  return Mark::part;
}

/// Moves `rest` behind the next delimiter; answers what stood before it.
std::optional<std::string_view> cut(std::string_view& rest, std::string_view delimiter,
                                    Mark& mark) {
  for (std::size_t from = 0;;) {
    auto at = rest.find(delimiter, from);
    if (at == std::string_view::npos) return std::nullopt;
    auto behind = rest.substr(at + delimiter.size());
    mark = read_mark(behind);
    if (mark != Mark::none) {
      auto before = rest.substr(0, at);
      rest = behind;
      return before;
    }
    from = at + 1;
  }
}

}  // namespace

std::optional<std::string> form_boundary(std::string_view content_type) {
  Parameters parameters{content_type};
  while (auto parameter = parameters.next()) {
    auto& [name, value] = *parameter;
    if (name != "boundary") continue;
    bool sound = !value.empty() && value.size() <= boundary_max && value.back() != ' ' &&
                 std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
    if (!sound) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

Result<std::vector<FormPart>> parse_form(std::string_view body, std::string_view boundary,
                                         const FormLimits& limits) {
  auto delimiter = fmt::format("\r\n--{}", boundary);
  std::vector<FormPart> parts;
  auto rest = body;
  auto mark = Mark::none;
  // The first delimiter may stand at the very beginning, without its line end.
  auto first = std::string_view{delimiter}.substr(2);
  if (rest.starts_with(first)) {
    rest.remove_prefix(first.size());
    mark = read_mark(rest);
  }
  if (mark == Mark::none) {
    rest = body;
    if (!cut(rest, delimiter, mark)) return malformed("its boundary does not occur");
  }
  while (mark == Mark::part) {
    if (parts.size() >= limits.parts_max) {
      return malformed(fmt::format("it has over {} parts", limits.parts_max));
    }
    auto content = cut(rest, delimiter, mark);
    if (!content) return malformed("it ends in the middle of a part");
    // A part without fields begins with the empty line that ends them.
    auto bare = content->starts_with("\r\n");
    auto head_end = bare ? 0 : content->find("\r\n\r\n");
    if (head_end == std::string_view::npos || head_end > limits.part_head_max) {
      return malformed("the head of a part does not end, or is too long");
    }
    auto part = read_head(content->substr(0, head_end));
    if (!part) return fail(std::move(part.error()));
    part->content = content->substr(head_end + (bare ? 2 : 4));
    parts.push_back(std::move(*part));
  }
  return parts;
}

}  // namespace gantry::net::http
