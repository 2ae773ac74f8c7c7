#include "api/exec_place.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "fleet/terminals.hpp"

#include <algorithm>

// One command in a container, run to its end.
namespace gantry::api {
namespace {

constexpr std::size_t words_max = 256;
constexpr json::TextBounds word_bounds{0, 64U << 10U};
constexpr std::size_t input_max = 1U << 20U;
constexpr json::IntegerBounds time_bounds{100, 600'000};
constexpr std::int64_t usual_time = 60'000;

std::string read_input(json::Fields& fields) {
  auto text = fields.text("stdin", {0, input_max});
  auto base64 = fields.text("stdin_base64", {0, input_max * 4 / 3 + 4});
  if (text && base64) fields.refuse("stdin", "and 'stdin_base64' must not both be given");
  if (!base64) return text.value_or("");
  auto bytes = encoding::from_base64(*base64);
  if (!bytes || bytes->size() > input_max) {
    fields.refuse("stdin_base64", "must be base64 of at most 1048576 bytes");
  }
  return bytes.value_or("");
}

Result<fleet::CommandWish> read_command(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  fleet::CommandWish wish;
  wish.command = fields.texts("command", words_max, word_bounds);
  if (wish.command.empty() || wish.command.front().empty()) {
    fields.refuse("command", "must be an array of texts, the program first");
  }
  for (const auto& word : wish.command) {
    if (word.contains('\0')) fields.refuse("command", "has a NUL byte");
  }
  auto place = read_exec_place(fields);
  wish.user = std::move(place.user);
  wish.working_dir = std::move(place.working_dir);
  wish.env = std::move(place.env);
  wish.input = read_input(fields);
  wish.bounds.time_max =
      Milliseconds{fields.integer("timeout_ms", time_bounds).value_or(usual_time)};
  if (auto read = fields.finish(); !read) return fail(read.error());
  return wish;
}

/// The bytes as text; where that is not exact (U+FFFD stands for what is no UTF-8), in base64 too.
void add_output(json::Object& object, const std::string& name,
                const engine::CapturedOutput& output) {
  // Cut off within a character, it is a text for all that.
  auto whole = output.bytes.size();
  if (output.truncated) whole -= fleet::unfinished_utf8(output.bytes);
  std::string_view bytes = std::string_view{output.bytes}.substr(0, whole);
  object[name + "_truncated"] = output.truncated;
  if (text::valid_utf8(bytes)) {
    object[name] = bytes;
    return;
  }
  object[name] =
      json::parse(text::json_quoted(bytes), json::Keys::strict).value_or(json::Value(nullptr));
  object[name + "_base64"] = encoding::base64(output.bytes);
}

json::Object result_json(const engine::ExecResult& result) {
  bool ended = result.end.fate == engine::ProcessFate::ended;
  json::Object object{
      {"exit_code", result.exit_code ? json::Value(*result.exit_code) : json::Value(nullptr)},
      {"truncated", result.out.truncated || result.err.truncated},
      {"timed_out", result.timed_out},
      {"process", ended ? "ended" : "may_live_on"},
      {"took_ms", result.took.count()}};
  add_output(object, "stdout", result.out);
  add_output(object, "stderr", result.err);
  if (!ended) object["detail"] = text::one_line(result.end.detail);
  return object;
}

}  // namespace

Answer exec_in_container(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  auto target = co_await container_for(call, access::Role::operator_);
  if (!target) co_return fail(std::move(target.error()));
  auto wish = co_await read_json(call, &read_command);
  if (!wish) co_return fail(std::move(wish.error()));
  wish->owner = fleet::actor_of(*call.identity);
  wish->container = target->id;
  wish->name = target->name;
  // A client that goes away ends the command.
  auto result =
      co_await unless_abandoned(call, call.services.terminals.run(target->host, std::move(*wish)));
  if (!result) co_return answered_already();
  if (!*result) co_return fail(std::move(result->error()));
  auto& ran = **result;
  auto work = [&] { return json::serialize(result_json(ran)); };
  co_return json_reply(200,
                       co_await compute(call, ran.out.bytes.size() + ran.err.bytes.size(), work));
}

}  // namespace gantry::api
