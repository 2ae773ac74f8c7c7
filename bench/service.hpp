#pragma once

#include "async/task.hpp"
#include "base/json.hpp"
#include "net/http_client.hpp"

#include <string>
#include <string_view>

/// What the benchmarks share: a program, a server of ours over HTTP, and the engine's own calls.
namespace gantry::bench {

/// A small program, in all the ways in which contenders are given it.
struct Workload {
  std::string name;
  std::string language;
  std::string image;
  std::string source;
  std::vector<std::string> command;
  std::string output;
};
/// `print(1)` in Python.
const Workload& python_workload();
/// `true` in the shell.
const Workload& shell_workload();

/// A run that was not as it must be: the figures would be of something else.
[[noreturn]] void wrong(std::string what);

/// A server under measurement; its connections are kept alive.
struct Server {
  net::http::Client client;
  std::string token;
};
/// `url` is `http://HOST:PORT`; the token is the file's first line.
Server server_at(const async::Executor& executor, std::string_view url, const char* token_file);

/// The members of the finished execution that was asked for with `body`. Throws on any status but
/// 200.
async::task<json::Object> execute(Server& server, json::Object body);
/// Runs it on that executor (`docker`, `local`); answers whether a sandbox was waiting for it.
/// Throws when it did not end well.
async::task<bool> run_on(Server& server, const Workload& work, std::string_view executor);

}  // namespace gantry::bench
