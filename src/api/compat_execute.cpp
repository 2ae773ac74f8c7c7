#include "api/compat.hpp"
#include "api/guard.hpp"
#include "api/handlers.hpp"
#include "base/text.hpp"
#include "engine/image_reference.hpp"

#include <fmt/format.h>

// POST /execute, as clients of script-executor-server know it: its fields, its words, its habit
// of answering 200 whenever something was tried. Unknown keys are ignored, duplicate ones refused.
namespace gantry::api {
namespace {

/// The origin's TIMEOUT, which it promised but did not keep.
constexpr Milliseconds time_allowed{30'000};
/// The longest script that travels as an argument; a longer one becomes a file.
constexpr std::size_t argument_max = 32U << 10U;

struct Script {
  std::string text;
  std::string input;
  std::string image;
};

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorKind::invalid, "invalid_request", std::move(message));
}

Result<Script> read_script(const json::Value& value) {
  const auto* object = value.if_object();
  if (value.is_null() || (object != nullptr && object->empty())) return wrong("No script provided");
  json::Fields fields{value, "", json::Keys::tolerant};
  const auto& limits = sandbox::program_limits;
  auto text = fields.text("script", {0, limits.source_max});
  Script script;
  script.input = fields.text("stdin", {0, limits.input_max}).value_or("");
  script.image = fields.text("image", {0, 512}).value_or("");
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (!text) return wrong("No script provided");
  script.text = std::move(*text);
  if (script.image.empty()) script.image = default_image;
  return script;
}

Result<Script> parse_script(const std::string& body) {
  if (body.empty()) return wrong("No script provided");
  auto value = json::parse(body, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  return read_script(*value);
}

/// One shell for the whole script, as `/bin/sh -c` has it: `$0` is the shell.
sandbox::Program program_of(Script script) {
  sandbox::Program program;
  program.image = std::move(script.image);
  program.input = std::move(script.input);
  bool fits = script.text.size() <= argument_max && script.text.find('\0') == std::string::npos;
  if (fits) {
    program.command = {"/bin/sh", "-c", std::move(script.text)};
  } else {
    program.files.push_back({.path = "script.sh", .content = std::move(script.text)});
    program.command = {"/bin/sh", "/box/script.sh"};
  }
  return program;
}

/// What killed by a limit looks like to a shell: 128 and the signal, but 124 for the time.
int exit_code_of(const sandbox::Outcome& outcome) {
  switch (outcome.verdict) {
    case sandbox::Verdict::ok:
    case sandbox::Verdict::failed:
      return outcome.exit_code.value_or(-1);
    case sandbox::Verdict::timed_out:
      return 124;
    case sandbox::Verdict::signalled:
      return 128 + outcome.signal.value_or(0);
    case sandbox::Verdict::cpu_exceeded:
    case sandbox::Verdict::memory_exceeded:
    case sandbox::Verdict::output_exceeded:
      return 137;
    case sandbox::Verdict::cancelled:
    case sandbox::Verdict::infrastructure_error:
      return -1;
  }
  return -1;
}

std::string trouble_of(const sandbox::Outcome& outcome) {
  switch (outcome.verdict) {
    case sandbox::Verdict::ok:
    case sandbox::Verdict::failed:
      return {};
    case sandbox::Verdict::timed_out:
      return fmt::format("Execution timed out after {} seconds", time_allowed.count() / 1000);
    case sandbox::Verdict::signalled:
    case sandbox::Verdict::cpu_exceeded:
    case sandbox::Verdict::memory_exceeded:
    case sandbox::Verdict::output_exceeded:
    case sandbox::Verdict::cancelled:
    case sandbox::Verdict::infrastructure_error:
      break;
  }
  if (!outcome.message.empty()) return outcome.message;
  return fmt::format("Execution ended: {}", sandbox::word(outcome.verdict));
}

std::string quoted(std::string_view bytes) {
  // Boost's short escapes where it can be; json_quoted takes bytes that are not UTF-8.
  if (text::valid_utf8(bytes)) return json::serialize(json::Value(bytes));
  return text::json_quoted(bytes);
}

std::string result_text(std::string_view out, std::string_view err, int exit_code, double seconds,
                        std::string_view error) {
  return fmt::format(
      R"({{"success":{},"stdout":{},"stderr":{},"exit_code":{},"execution_time":{},"error":{}}})",
      exit_code == 0, quoted(out), quoted(err), exit_code, seconds,
      error.empty() ? "null" : quoted(error));
}

/// The check of the media type in the origin's words. Attached files (multipart) are not taken.
Result<> check_type(const Call& call) {
  if (auto encoding = call.header("Content-Encoding"); !encoding.empty()) {
    return wrong(fmt::format("Unsupported content encoding: {}",
                             text::shortened(text::one_line(encoding), 80)));
  }
  auto type = media_type(call.exchange.request());
  if (text::iequals(type, "application/json")) return ok;
  return wrong(fmt::format("Unsupported content type: {}",
                           type.empty() ? "None" : text::shortened(text::one_line(type), 80)));
}

}  // namespace

std::string execute_result(const executions::Record& record) {
  const auto& outcome = *record.outcome;
  if (outcome.verdict == sandbox::Verdict::infrastructure_error) {
    return execute_failure(trouble_of(outcome));
  }
  return result_text(record.output, record.errors, exit_code_of(outcome),
                     static_cast<double>(outcome.wall_time.count()) / 1e6, trouble_of(outcome));
}

std::string execute_failure(std::string_view reason) {
  return result_text("", reason, -1, 0.0, reason);
}

Answer execute(Call& call) {
  if (auto checked = check_type(call); !checked) co_return fail(checked.error());
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  auto script = co_await compute(call, body->size(), [&] { return parse_script(*body); });
  if (!script) co_return fail(std::move(script.error()));
  if (!engine::ImageReference::parse(script->image)) {
    co_return json_reply(200, execute_failure("Invalid image name: " + script->image));
  }

  sandbox::Policy policy;
  policy.wall_time = time_allowed;
  policy.cpu_time = time_allowed;
  auto& executions = call.services.executions;
  auto record = co_await executions.submit(call.who(), program_of(std::move(*script)), policy);
  if (!record) co_return fail(std::move(record.error()));
  auto finished = co_await unless_abandoned(call, executions.wait(record->id));
  if (!finished) {
    // Nobody else knows of it. It may have ended in this moment, which is as well.
    (void)co_await executions.cancel(record->id);
    co_return answered_already();
  }
  if (!*finished) co_return fail(std::move(finished->error()));
  auto size = (*finished)->output.size() + (*finished)->errors.size();
  auto work = [&] { return execute_result(**finished); };
  co_return json_reply(200, co_await compute(call, size, work));
}

}  // namespace gantry::api
