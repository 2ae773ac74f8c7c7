#pragma once

#include "access/identity.hpp"
#include "api/call.hpp"
#include "api/routes.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "base/json.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The Model Context Protocol (https://modelcontextprotocol.io/specification/2025-06-18) over
/// streamable HTTP. Every POST stands for itself: a session is only a name, by which a client's
/// calls can be told from another's when one of them is taken back.
namespace gantry::api::mcp {

/// The versions spoken, newest first. What we use of them is the same in all.
inline constexpr std::array protocol_versions{
    std::string_view{"2025-11-25"}, std::string_view{"2025-06-18"}, std::string_view{"2025-03-26"},
    std::string_view{"2024-11-05"}};

/// What a tool says: the same for programs and, in words, for models.
struct ToolOutput {
  json::Object structured;
  std::string text;
  /// The tool could not do what it is for; `text` says why.
  bool failed = false;
};

/// A tool's call; what it refers to outlives the handler.
struct ToolCall {
  Call& call;
  const json::Value& arguments;  ///< An object.
  async::StopSignal& taken_back;
};
using ToolAnswer = async::task<Result<ToolOutput>>;
/// Runs a tool. An Error becomes a failed output.
using ToolHandler = ToolAnswer (*)(ToolCall tool);

struct Tool {
  std::string_view name;
  std::string_view title;
  std::string_view description;
  /// As a route's: the same roles and scopes as in the rest of the API.
  Least least;
  access::Scope scope;
  enum class Effect { reads, runs } effect;
  /// The JSON Schema of the arguments, on this server.
  json::Value (*input_schema)(Call& call);
  std::string_view output_schema;
  ToolHandler handler;
};

/// All of them, in the order they are listed.
std::span<const Tool> tools();

/// mcp_execute.cpp: runs a program to its end, within the bounds of who asks.
ToolAnswer execute_code(ToolCall tool);
json::Value execute_code_schema(Call& call);
/// What can be run.
ToolAnswer list_languages(ToolCall tool);

/// mcp_containers.cpp: the view of this machine's containers.
ToolAnswer list_containers(ToolCall tool);
/// The end of a container's log: at most 2000 lines and 256 KiB. not_found for what is not listed.
ToolAnswer read_logs(ToolCall tool);
json::Value read_logs_schema(Call& call);

/// For tools without arguments.
json::Value no_arguments_schema(Call& call);

/// A schema of ours as a value.
json::Value schema_of(std::string_view text);

}  // namespace gantry::api::mcp
