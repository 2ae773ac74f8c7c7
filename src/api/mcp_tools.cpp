#include "api/mcp.hpp"

// The tools: what they are called, who may call them, what they answer.
namespace gantry::api::mcp {
namespace {

using access::Scope;
using enum Least;

constexpr std::string_view execution_output = R"({
  "type": "object",
  "required": ["id", "verdict", "exit_code", "stdout", "stderr", "encoding"],
  "properties": {
    "id": {"type": "string"},
    "verdict": {"type": "string", "description": "How it ended: ok, failed, timed_out and so on"},
    "exit_code": {"type": ["integer", "null"]},
    "signal": {"type": ["integer", "null"]},
    "message": {"type": ["string", "null"]},
    "stdout": {"type": "string"},
    "stderr": {"type": "string"},
    "encoding": {"type": "string", "enum": ["utf8", "base64"]},
    "wall_time_ms": {"type": ["number", "null"]},
    "cpu_time_ms": {"type": ["number", "null"]},
    "memory_peak_bytes": {"type": ["integer", "null"]}
  }
})";

constexpr std::string_view languages_output = R"({
  "type": "object",
  "required": ["languages"],
  "properties": {
    "languages": {"type": "array", "items": {
      "type": "object",
      "required": ["name", "aliases", "image"],
      "properties": {
        "name": {"type": "string"},
        "aliases": {"type": "array", "items": {"type": "string"}},
        "image": {"type": "string"}
      }
    }}
  }
})";

constexpr std::string_view containers_output = R"({
  "type": "object",
  "required": ["items", "stale", "as_of"],
  "properties": {
    "items": {"type": "array", "items": {
      "type": "object",
      "required": ["host", "id", "name", "image", "state", "status"],
      "properties": {
        "host": {"type": "string"},
        "id": {"type": "string"},
        "name": {"type": "string"},
        "image": {"type": "string"},
        "state": {"type": "string"},
        "status": {"type": "string"}
      }
    }},
    "total": {"type": "integer", "description": "How many there are; at most 1000 are listed"},
    "stale": {"type": "boolean", "description": "An engine is away; these are the last known"},
    "as_of": {"type": ["string", "null"]}
  }
})";

constexpr std::string_view logs_output = R"({
  "type": "object",
  "required": ["host", "container", "name", "log", "truncated"],
  "properties": {
    "host": {"type": "string"},
    "container": {"type": "string"},
    "name": {"type": "string"},
    "log": {"type": "string"},
    "truncated": {"type": "boolean", "description": "There was more; this is the end of it"}
  }
})";

constexpr std::array table{
    Tool{"execute_code", "Run a program",
         "Runs a program in a fresh sandbox and answers what it wrote and how it ended. The "
         "working folder is /box, which holds the given files and is gone afterwards. There is no "
         "network unless the limits ask for it.",
         executor, Scope::executions, Tool::Effect::runs, &execute_code_schema, execution_output,
         &execute_code},
    Tool{"list_languages", "List languages", "Which languages execute_code can run, and in what.",
         any, Scope::system, Tool::Effect::reads, &no_arguments_schema, languages_output,
         &list_languages},
    Tool{"list_containers", "List containers",
         "The containers of all hosts with image, state, ports and labels. Values that look "
         "secret are masked.",
         viewer, Scope::containers, Tool::Effect::reads, &no_arguments_schema, containers_output,
         &list_containers},
    Tool{"read_logs", "Read a container's log",
         "The last lines that a container wrote to standard output and standard error. They are "
         "passed on as they are and may hold secrets.",
         operator_, Scope::containers, Tool::Effect::reads, &read_logs_schema, logs_output,
         &read_logs}};

}  // namespace

std::span<const Tool> tools() { return table; }

}  // namespace gantry::api::mcp
