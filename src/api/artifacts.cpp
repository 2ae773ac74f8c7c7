#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "base/encoding.hpp"
#include "executions/executions.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

// The files that programs left.
namespace gantry::api {
namespace {

using executions::ExecutionId;

/// RFC 6266: a name for everybody in ASCII, and the real one (RFC 8187). A browser saves the file
/// and never shows it, whatever is in it.
std::string disposition(const std::string& path) {
  auto name = path.substr(path.rfind('/') + 1);
  auto plain = name;
  std::ranges::replace_if(
      plain, [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%'; }, '_');
  return fmt::format(R"(attachment; filename="{}"; filename*=UTF-8''{})", plain,
                     encoding::percent(name));
}

std::optional<std::size_t> read_index(std::string_view text) {
  std::size_t index = 0;
  const auto* end = text.data() + text.size();
  auto [stop, wrong] = std::from_chars(text.data(), end, index);
  if (wrong != std::errc{} || stop != end) return std::nullopt;
  return index;
}

std::unexpected<Error> no_such_artifact(const Call& call) {
  return fail(ErrorKind::not_found, "no_such_artifact",
              fmt::format("cannot find artifact '{}' of execution '{}'", call.part, call.id),
              "GET /api/v1/executions/{id}/artifacts lists them");
}

}  // namespace

Answer list_artifacts(Call& call) {
  auto record = co_await call.services.executions.look_up(ExecutionId{call.id}, call.reach());
  if (!record) co_return fail(std::move(record.error()));
  co_return json_reply(200, json::Object{{"items", artifacts_json(*record)}, {"next", nullptr}});
}

Answer get_artifact(Call& call) {
  auto index = read_index(call.part);
  if (!index) co_return no_such_artifact(call);
  auto opened =
      co_await call.services.executions.artifact(ExecutionId{call.id}, *index, call.reach());
  if (!opened) co_return fail(std::move(opened.error()));
  if (auto room = call.exchange.hold(executions::FileReader::piece_max); !room) {
    co_return fail(std::move(room.error()));
  }
  net::http::ResponseHead head{.status = 200,
                               .headers = {{"Content-Type", "application/octet-stream"}}};
  head.headers.set("Content-Disposition", disposition(opened->item.path));
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  auto& reader = opened->reader;
  for (auto piece = co_await reader.next(); !piece.empty(); piece = co_await reader.next()) {
    co_await call.exchange.send(std::move(piece));
  }
  co_await call.exchange.finish_stream();
  co_return answered_already();
}

}  // namespace gantry::api
