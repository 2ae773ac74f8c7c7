#include "engine/exec.hpp"

#include "engine/names.hpp"
#include "engine/read.hpp"
#include "engine/write.hpp"

#include <algorithm>
#include <array>

namespace gantry::engine {
namespace {

using write::array_of;

/// Typed to a terminal, Docker's own detach keys (Ctrl-P Ctrl-Q) would cut the line, and Ctrl-P
/// would come one key late. There is no word for none: these nobody types.
constexpr const char* detach_keys = "ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_";

json::Object body_of(const ExecSpec& spec) {
  json::Object body{{"AttachStdin", spec.attach_stdin},
                    {"AttachStdout", true},
                    {"AttachStderr", true},
                    {"Tty", spec.tty},
                    {"Privileged", false},
                    {"Cmd", array_of(spec.command)}};
  if (spec.tty) {
    body["DetachKeys"] = detach_keys;
    body["ConsoleSize"] = json::Array{spec.size.rows, spec.size.columns};
  }
  if (!spec.env.empty()) body["Env"] = array_of(spec.env);
  if (!spec.user.empty()) body["User"] = spec.user;
  if (!spec.working_dir.empty()) body["WorkingDir"] = spec.working_dir;
  return body;
}

}  // namespace

async::task<Result<std::string>> create_exec(Client& client, std::string container,
                                             const ExecSpec& spec) {
  Request request;
  request.doing = {"start a process in", "container", container};
  if (auto valid = check_container(request.doing, container); !valid) {
    co_return fail(valid.error());
  }
  request.method = "POST";
  request.path = {"containers", std::move(container), "exec"};
  request.body = body_of(spec);
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  auto id = read::text(fields, "Id");
  if (!valid_id(id)) fields.refuse("Id", "must be an exec's id");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return id;
}

async::task<Result<AttachedStream>> start_exec(Client& client, std::string exec, Framing framing) {
  Request request;
  request.doing = {"start", "exec", exec};
  if (auto valid = check_exec(request.doing, exec); !valid) co_return fail(valid.error());
  request.method = "POST";
  request.path = {"exec", std::move(exec), "start"};
  request.body = json::Object{{"Detach", false}, {"Tty", framing == Framing::raw}};
  auto stream = co_await client.hijack(std::move(request));
  if (!stream) co_return fail(std::move(stream.error()));
  co_return AttachedStream{std::move(*stream), framing};
}

async::task<Result<ExecState>> inspect_exec(Client& client, std::string exec) {
  Request request;
  request.doing = {"inspect", "exec", exec};
  if (auto valid = check_exec(request.doing, exec); !valid) co_return fail(valid.error());
  request.path = {"exec", std::move(exec), "json"};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  ExecState state;
  state.running = read::boolean(fields, "Running");
  state.exit_code = read::integer(fields, "ExitCode");
  state.pid = read::integer(fields, "Pid");
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return state;
}

bool tells_of_a_failed_start(std::string_view words) {
  constexpr std::array refusals{
      std::string_view{"OCI runtime exec failed"}, std::string_view{"unable to find user"},
      std::string_view{"unable to find group"}, std::string_view{"executable file not found"}};
  return std::ranges::any_of(refusals, [&](auto one) { return words.contains(one); });
}

async::task<Result<>> resize_exec(Client& client, std::string exec, TerminalSize size) {
  Request request;
  request.doing = {"resize the terminal of", "exec", exec};
  if (auto valid = check_exec(request.doing, exec); !valid) co_return valid;
  request.method = "POST";
  request.path = {"exec", std::move(exec), "resize"};
  request.query = {{"h", std::to_string(size.rows)}, {"w", std::to_string(size.columns)}};
  auto answer = co_await client.call(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return ok;
}

}  // namespace gantry::engine
