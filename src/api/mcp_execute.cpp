#include "api/execution_json.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/mcp.hpp"
#include "api/submissions.hpp"
#include "executions/executions.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/program.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

// The tools that are about programs.
namespace gantry::api::mcp {
namespace {

/// What a model is given of each output unless it asks for more.
constexpr double usual_output_bytes = 64 << 10;

/// In the order of sandbox::ExecutorChoice.
constexpr std::array<std::string_view, 3> executor_words{"auto", "docker", "local"};

std::int64_t output_bytes_within(const sandbox::PolicyBounds& bounds) {
  const auto& bound = bounds.number("output_bytes");
  return static_cast<std::int64_t>(std::clamp(usual_output_bytes, bound.min, bound.max));
}

/// The arguments as the body of POST /api/v1/executions, of which they are a part: `code` is its
/// `source`.
Result<json::Object> request_of(const json::Value& arguments, const sandbox::PolicyBounds& bounds) {
  json::Fields fields{arguments, "", json::Keys::strict};
  json::Object request;
  request["language"] = fields.required_text("language", {1, 64});
  request["source"] = fields.required_text("code", {0, sandbox::program_limits.source_max});
  for (const auto* key : {"files", "args", "env", "stdin", "executor"}) {
    if (const auto* value = fields.member(key)) request[key] = *value;
  }
  json::Object limits{{"output_bytes", output_bytes_within(bounds)}};
  if (const auto* given = fields.member("limits")) {
    if (const auto* asked = given->if_object()) {
      for (const auto& [name, value] : *asked) limits[name] = value;
    } else {
      fields.refuse("limits", "must be an object");
    }
  }
  request["limits"] = std::move(limits);
  if (auto read = fields.finish(); !read) return fail(read.error());
  return request;
}

Result<executions::Submission> read_arguments(const json::Value& arguments,
                                              const sandbox::Languages& languages,
                                              const sandbox::PolicyBounds& bounds) {
  auto request = request_of(arguments, bounds);
  if (!request) return fail(std::move(request.error()));
  json::Value value(std::move(*request));
  json::Fields fields{value, "", json::Keys::strict};
  auto wanted = sandbox::read_submission(fields, languages, bounds);
  executions::Submission submission{.program = std::move(wanted.program),
                                    .policy = std::move(wanted.policy)};
  auto executor = fields.text("executor").value_or("auto");
  const auto* word = std::ranges::find(executor_words, executor);
  if (word == executor_words.end()) {
    fields.refuse("executor", "must be 'auto', 'docker' or 'local'");
  } else {
    submission.executor = static_cast<sandbox::ExecutorChoice>(word - executor_words.begin());
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return submission;
}

/// A member that is text; empty when it is null.
std::string_view text_in(const json::Object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view{*text};
}

std::string outputs(const json::Object& stage, std::string_view whose) {
  std::string text;
  for (const auto* name : {"stdout", "stderr"}) {
    auto output = text_in(stage, name);
    if (output.empty()) continue;
    auto end = output.ends_with('\n') ? "" : "\n";
    text += fmt::format("\n{}{}:\n{}{}", whose, name, output, end);
  }
  return text;
}

/// The execution in words, for models that do not read the structured part.
std::string summary(const sandbox::Outcome& outcome, const json::Object& item) {
  auto text = fmt::format("verdict: {}\n", sandbox::word(outcome.verdict));
  if (outcome.exit_code) text += fmt::format("exit code: {}\n", *outcome.exit_code);
  if (outcome.signal) text += fmt::format("signal: {}\n", sandbox::signal_name(*outcome.signal));
  auto message = text_in(item, "message");
  if (!message.empty()) text += fmt::format("message: {}\n", message);
  if (text_in(item, "encoding") == "base64") text += "output is in base64\n";
  if (const auto* compile = item.if_contains("compile"); compile != nullptr) {
    if (const auto* stage = compile->if_object()) text += outputs(*stage, "compiler's ");
  }
  return text + outputs(item, "");
}

ToolOutput output_of(const executions::Record& record, const std::string& message) {
  auto item = execution_json(record, message);
  auto text = summary(*record.outcome, item);
  item.erase("source");  // who asks has it
  auto verdict = record.outcome->verdict;
  bool failed =
      verdict == sandbox::Verdict::infrastructure_error || verdict == sandbox::Verdict::cancelled;
  return {.structured = std::move(item), .text = std::move(text), .failed = failed};
}

using Finished = std::optional<Result<executions::Record>>;

/// Nothing comes when the client goes away first.
async::task<void> wait_for(Call& call, executions::ExecutionId id, Finished& finished) {
  finished =
      co_await unless_abandoned(call, call.services.executions.wait(std::move(id), call.own()));
}

json::Object number_schema(const sandbox::Bound& bound) {
  bool whole = bound.field != "cpus";
  auto number = [&](double value) -> json::Value {
    if (whole) return static_cast<std::int64_t>(value);
    return value;
  };
  return {{"type", whole ? "integer" : "number"},
          {"minimum", number(bound.min)},
          {"maximum", number(bound.max)},
          {"default", number(bound.usual)}};
}

json::Object mode_schema(const sandbox::Choice& mode) {
  json::Array allowed;
  for (auto word : mode.allowed) allowed.emplace_back(word);
  return {{"type", "string"}, {"enum", std::move(allowed)}, {"default", mode.usual}};
}

json::Object limits_schema(const sandbox::PolicyBounds& bounds) {
  json::Object limits;
  for (const auto& bound : bounds.numbers()) limits[bound.field] = number_schema(bound);
  limits["output_bytes"].as_object()["default"] = output_bytes_within(bounds);
  for (const auto& mode : bounds.modes()) limits[mode.field] = mode_schema(mode);
  return {{"type", "object"},
          {"description", "Over a limit the program is ended, and the verdict says which"},
          {"properties", std::move(limits)}};
}

constexpr std::string_view arguments_schema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["language", "code"],
  "properties": {
    "language": {
      "type": "string",
      "description": "A name or an alias from list_languages",
      "examples": ["python"]
    },
    "code": {"type": "string", "description": "The program; at most 1 MiB"},
    "files": {
      "type": "array",
      "maxItems": 256,
      "description": "Files that the program finds in its working folder",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["path", "content"],
        "properties": {
          "path": {"type": "string", "description": "Relative", "examples": ["data/input.csv"]},
          "content": {"type": "string"},
          "encoding": {"type": "string", "enum": ["utf8", "base64"], "default": "utf8"},
          "executable": {"type": "boolean", "default": false}
        }
      }
    },
    "args": {
      "type": "array",
      "items": {"type": "string"},
      "description": "The program's arguments"
    },
    "env": {
      "type": "object",
      "additionalProperties": {"type": "string"},
      "description": "Environment variables"
    },
    "stdin": {"type": "string", "description": "The program's standard input"},
    "executor": {
      "type": "string",
      "enum": ["auto", "docker", "local"],
      "default": "auto",
      "description": "A container, or namespaces without an engine; auto prefers containers"
    }
  }
})";

}  // namespace

json::Value execute_code_schema(Call& call) {
  auto schema = schema_of(arguments_schema).as_object();
  schema["properties"].as_object()["limits"] = limits_schema(bounds_for(call));
  return schema;
}

ToolAnswer execute_code(ToolCall tool) {
  auto& call = tool.call;
  auto submission = read_arguments(tool.arguments, call.services.languages, bounds_for(call));
  if (!submission) co_return fail(std::move(submission.error()));
  executions::Order order{.caller = call.caller(), .told = executions::Order::Told::verdict};
  order.submissions.push_back(std::move(*submission));
  auto receipt = co_await place(call, std::move(order));
  if (!receipt) co_return fail(std::move(receipt.error()));
  auto id = receipt->records.front().id;
  Finished finished;
  co_await async::race(wait_for(call, id, finished), tool.taken_back.wait());
  if (!finished) {
    // Nobody else knows of it. It may have ended in this moment, which is as well.
    (void)co_await call.services.executions.cancel(id, call.own());
    co_return fail(ErrorKind::conflict, "cancelled", "cannot go on: the call was taken back");
  }
  if (!*finished) co_return fail(std::move(finished->error()));
  auto message = told_message(call, **finished);
  auto work = [&] { return output_of(**finished, message); };
  co_return co_await compute(call, weight(**finished), work);
}

json::Value no_arguments_schema(Call&) {
  return schema_of(R"({"type": "object", "additionalProperties": false, "properties": {}})");
}

ToolAnswer list_languages(ToolCall tool) {
  json::Fields fields{tool.arguments, "", json::Keys::strict};
  if (auto read = fields.finish(); !read) co_return fail(read.error());
  json::Array items;
  for (const auto& language : tool.call.services.languages.all()) {
    json::Array aliases;
    for (const auto& alias : language.aliases) aliases.emplace_back(alias);
    items.emplace_back(json::Object{
        {"name", language.name}, {"aliases", std::move(aliases)}, {"image", language.image}});
  }
  ToolOutput output{.structured = {{"languages", std::move(items)}}, .text = {}};
  output.text = json_text(output.structured);
  co_return output;
}

}  // namespace gantry::api::mcp
