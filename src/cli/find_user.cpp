#include "cli/find_user.hpp"

#include "base/text.hpp"
#include "cli/columns.hpp"
#include "cli/whole_list.hpp"

#include <fmt/format.h>

namespace gantry::cli {

Result<std::string> choose_user(const json::Value& answer, const std::string& word) {
  const auto* items = member_at(answer, "items");
  if (items == nullptr || !items->is_array()) {
    return fail(ErrorKind::unavailable, "not_gantry",
                "cannot list users: the server's answer is no list");
  }
  auto name = text::lowered(word);
  std::string found;
  for (const auto& item : items->as_array()) {
    json::Fields user{item, "items", json::Keys::tolerant};
    auto id = user.text("id").value_or("");
    if (id.empty() || (id != word && user.text("name") != name)) continue;
    if (!found.empty()) {
      return fail(ErrorKind::conflict, "ambiguous_user",
                  fmt::format("cannot tell which user '{}' is: it is one's name and another's id",
                              text::one_line(word)),
                  "'gantry users list' shows both; name the other one by the id");
    }
    found = std::move(id);
  }
  if (!found.empty()) return found;
  return fail(ErrorKind::not_found, "no_such_user",
              fmt::format("cannot find user '{}'", text::one_line(word)),
              "'gantry users list' lists those there are");
}

async::task<Result<std::string>> find_user(ApiClient& server, std::string word) {
  auto answer = co_await whole_list(server, fmt::format("find user '{}'", text::one_line(word)),
                                    "/api/v1/users");
  if (!answer) co_return fail(answer.error());
  co_return choose_user(*answer, word);
}

}  // namespace gantry::cli
