#include "api/compat.hpp"
#include "api/compat_files.hpp"
#include "api/guard.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/place.hpp"
#include "base/text.hpp"
#include "engine/image_reference.hpp"
#include "net/multipart.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

// POST /execute, as clients of script-executor-server know it: its fields, its words, its habit
// of answering 200 whenever something was tried. Unknown keys are ignored, duplicate ones refused.
namespace gantry::api {
namespace {

/// The origin's TIMEOUT, which it promised but did not keep.
constexpr Milliseconds time_allowed{30'000};
/// The longest script that travels as an argument; a longer one becomes a file.
constexpr std::size_t argument_max = 32U << 10U;

/// A body that is not a form.
constexpr Bytes json_max{16U << 20U};

struct Script {
  std::string text;
  std::string input;
  std::string image;
  std::optional<Attachments> attached = {};  ///< When files came with it.
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

/// The first field of the form that is called so.
std::string field_of(const std::vector<net::http::FormPart>& parts, std::string_view name) {
  auto found = std::ranges::find_if(
      parts, [&](const auto& part) { return part.name == name && !part.file_name; });
  return found == parts.end() ? std::string{} : std::string{found->content};
}

Result<Script> parse_form_script(const std::string& body, std::string_view content_type) {
  auto boundary = net::http::form_boundary(content_type);
  if (!boundary) return wrong("No script provided");
  auto parts = net::http::parse_form(body, *boundary);
  if (!parts) return fail(std::move(parts.error()));
  const auto& limits = sandbox::program_limits;
  Script script{.text = field_of(*parts, "script"),
                .input = field_of(*parts, "stdin"),
                .image = field_of(*parts, "image")};
  if (script.text.empty()) return wrong("No script provided");
  if (script.text.size() > limits.source_max) {
    return wrong(fmt::format("field 'script' must have at most {} bytes", limits.source_max));
  }
  if (script.input.size() > limits.input_max) {
    return wrong(fmt::format("field 'stdin' must have at most {} bytes", limits.input_max));
  }
  if (script.image.empty()) script.image = default_image;
  auto attached = attach(*parts);
  if (!attached) return fail(std::move(attached.error()));
  if (!attached->names.empty()) script.attached = std::move(*attached);
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
  if (script.attached) program.files = std::move(script.attached->files);
  script.text = with_our_folder(script.text);
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

std::string trouble_of(const sandbox::Outcome& outcome, const std::string& message) {
  auto seconds = static_cast<double>(outcome.wall_time.count()) / 1e6;
  switch (outcome.verdict) {
    case sandbox::Verdict::ok:
    case sandbox::Verdict::failed:
      return {};
    case sandbox::Verdict::timed_out:
      return fmt::format("Execution timed out after {:.0f} seconds", seconds);
    case sandbox::Verdict::signalled:
    case sandbox::Verdict::cpu_exceeded:
    case sandbox::Verdict::memory_exceeded:
    case sandbox::Verdict::output_exceeded:
    case sandbox::Verdict::cancelled:
    case sandbox::Verdict::infrastructure_error:
      break;
  }
  if (!message.empty()) return message;
  return fmt::format("Execution ended: {}", sandbox::word(outcome.verdict));
}

/// The origin's words for what its clients look for.
std::string in_origins_words(const executions::Record& record, const std::string& message) {
  if (!message.starts_with("cannot pull image")) return trouble_of(*record.outcome, message);
  return fmt::format("Failed to pull image: {} ({})", record.image, message);
}

std::string result_text(std::string_view out, std::string_view err, int exit_code, double seconds,
                        std::string_view error) {
  return fmt::format(
      R"({{"success":{},"stdout":{},"stderr":{},"exit_code":{},"execution_time":{},"error":{}}})",
      exit_code == 0, json_string(out), json_string(err), exit_code, seconds,
      error.empty() ? "null" : json_string(error));
}

bool is_form(const Call& call) {
  return text::iequals(media_type(call.exchange.request()), "multipart/form-data");
}

/// The check of the media type in the origin's words.
Result<> check_type(const Call& call) {
  if (auto encoding = call.header("Content-Encoding"); !encoding.empty()) {
    return wrong(fmt::format("Unsupported content encoding: {}",
                             text::shortened(text::one_line(encoding), 80)));
  }
  auto type = media_type(call.exchange.request());
  if (text::iequals(type, "application/json") || is_form(call)) return ok;
  return wrong(fmt::format("Unsupported content type: {}",
                           type.empty() ? "None" : text::shortened(text::one_line(type), 80)));
}

/// The origin's limits, as far as the caller's bounds go. Attached files lie in the sandbox's
/// memory, on top of what the script itself may use.
sandbox::Policy policy_of(const Script& script, const sandbox::PolicyBounds& bounds) {
  auto attached = script.attached ? static_cast<double>(script.attached->bytes) : 0.0;
  auto within = [&](std::string_view field, double wanted) {
    const auto& bound = bounds.number(field);
    return static_cast<std::int64_t>(std::clamp(wanted, bound.min, bound.max));
  };
  auto with_files = [&](std::string_view field) {
    return within(field, bounds.number(field).usual + attached);
  };
  auto time = static_cast<double>(time_allowed.count());
  return value_or_throw(bounds.read(json::Object{{"wall_time_ms", within("wall_time_ms", time)},
                                                 {"cpu_time_ms", within("cpu_time_ms", time)},
                                                 {"memory_bytes", with_files("memory_bytes")},
                                                 {"tmpfs_bytes", with_files("tmpfs_bytes")}}));
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) {
    list += list.empty() ? "" : ",";
    list += json_string(text);
  }
  return list;
}

/// The members that an answer has only when files came with the script.
std::string files_text(const Attachments& attached) {
  std::string extractions;
  for (const auto& extraction : attached.extractions) {
    extractions += fmt::format(R"({}{{"zip_file":{},"extracted_count":{},"extracted_files":[{}]}})",
                               extractions.empty() ? "" : ",", json_string(extraction.archive),
                               extraction.paths.size(), quoted_list(extraction.paths));
  }
  auto text = fmt::format(R"("files_attached":[{}],"total_file_size":{})",
                          quoted_list(attached.names), attached.bytes);
  if (!extractions.empty()) text += fmt::format(R"(,"zip_extractions":[{}])", extractions);
  return text;
}

std::string with_files(std::string answer, std::string_view about_files) {
  if (about_files.empty()) return answer;
  answer.pop_back();
  return answer.append(",").append(about_files).append("}");
}

}  // namespace

std::string execute_result(const executions::Record& record, const std::string& message) {
  const auto& outcome = *record.outcome;
  if (outcome.verdict == sandbox::Verdict::infrastructure_error) {
    return execute_failure(in_origins_words(record, message));
  }
  return result_text(record.output, record.errors, exit_code_of(outcome),
                     static_cast<double>(outcome.wall_time.count()) / 1e6,
                     trouble_of(outcome, message));
}

std::string execute_failure(std::string_view reason) {
  return result_text("", reason, -1, 0.0, reason);
}

Answer execute(Call& call) {
  if (auto checked = check_type(call); !checked) co_return fail(checked.error());
  bool form = is_form(call);
  auto body = co_await call.exchange.body(form ? call.body_max : json_max);
  if (!body) co_return fail(std::move(body.error()));
  auto parse = [&] {
    return form ? parse_form_script(*body, call.header("Content-Type")) : parse_script(*body);
  };
  // An archive is small until it is unpacked.
  auto size = form ? long_work.count + 1 : body->size();
  auto script = co_await compute(call, size, parse);
  forget_body(call, *body);
  if (!script) co_return fail(std::move(script.error()));
  if (!engine::ImageReference::parse(script->image)) {
    co_return json_reply(200, execute_failure("Invalid image name: " + script->image));
  }
  auto about_files = script->attached ? files_text(*script->attached) : std::string{};
  auto policy = policy_of(*script, bounds_for(call));
  auto& executions = call.services.executions;
  auto record = co_await place(call, {program_of(std::move(*script)), policy});
  if (!record) co_return fail(std::move(record.error()));
  auto finished = co_await unless_abandoned(call, executions.wait(record->id, call.own()));
  if (!finished) {
    // Nobody else knows of it. It may have ended in this moment, which is as well.
    (void)co_await executions.cancel(record->id, call.own());
    co_return answered_already();
  }
  if (!*finished) co_return fail(std::move(finished->error()));
  auto written = (*finished)->output.size() + (*finished)->errors.size();
  auto message = told_message(call, **finished);
  auto work = [&] { return with_files(execute_result(**finished, message), about_files); };
  co_return json_reply(200, co_await compute(call, written, work));
}

}  // namespace gantry::api
