#include "cli/whole_list.hpp"

#include "base/encoding.hpp"
#include "cli/columns.hpp"

#include <fmt/format.h>

namespace gantry::cli {
namespace {

// A list that is longer than this is asked for with a filter.
constexpr std::size_t pages_max = 1'000;

std::string with_cursor(const std::string& target, const std::string& cursor) {
  return fmt::format("{}{}cursor={}", target, target.find('?') == target.npos ? '?' : '&',
                     encoding::percent(cursor));
}

}  // namespace

async::task<Result<json::Value>> whole_list(ApiClient& server, std::string doing,
                                            std::string target) {
  auto answer = co_await server.get(doing, target);
  for (std::size_t page = 1; answer && page < pages_max; ++page) {
    const auto* next = member_at(*answer, "next");
    if (next == nullptr || !next->is_string()) break;
    auto more = co_await server.get(doing, with_cursor(target, std::string{next->as_string()}));
    if (!more) co_return fail(more.error());
    const auto* items = member_at(*more, "items");
    if (items == nullptr || !items->is_array()) break;
    auto& all = answer->as_object()["items"].as_array();
    for (const auto& item : items->as_array()) all.push_back(item);
    const auto* after = member_at(*more, "next");
    answer->as_object()["next"] = after == nullptr ? json::Value{} : *after;
  }
  co_return answer;
}

}  // namespace gantry::cli
