#include "service.hpp"

#include "net/endpoint.hpp"

#include <fstream>
#include <utility>

namespace gantry::bench {

const Workload& python_workload() {
  static const Workload workload{"python print(1)",
                                 "python",
                                 "gantry/python:latest",
                                 "print(1)",
                                 {"/usr/bin/python3", "-c", "print(1)"},
                                 "1\n"};
  return workload;
}

const Workload& shell_workload() {
  static const Workload workload{
      "sh -c true", "sh", "gantry/sh:latest", "true", {"/bin/sh", "-c", "true"}, ""};
  return workload;
}

void wrong(std::string what) { throw Failure{{ErrorKind::internal, "bench", std::move(what), {}}}; }

Server server_at(const async::Executor& executor, std::string_view url, const char* token_file) {
  auto at = value_or_throw(
      net::Endpoint::parse("tcp" + std::string{url.substr(std::string_view{"http"}.size())}));
  std::string token;
  std::ifstream file{token_file};
  std::getline(file, token);
  return {{executor, net::dialer(executor, at), at.host_header()}, token};
}

async::task<json::Object> execute(Server& server, json::Object body) {
  net::http::RequestHead head{.method = "POST",
                              .target = "/api/v1/executions?wait=true",
                              .headers = {{"Authorization", "Bearer " + server.token},
                                          {"Content-Type", "application/json"}}};
  auto response = co_await server.client.send(std::move(head), json::serialize(body));
  if (response.head.status != 200) wrong("an execution was refused: " + response.body);
  co_return value_or_throw(json::parse(response.body, json::Keys::tolerant)).as_object();
}

async::task<bool> run_on(Server& server, const Workload& work, std::string_view executor) {
  json::Object body{{"language", work.language}, {"source", work.source}, {"executor", executor}};
  if (executor == "docker") body["image"] = work.image;
  auto answer = co_await execute(server, std::move(body));
  const auto* verdict = answer.if_contains("verdict");
  const auto* output = answer.if_contains("stdout");
  const auto* warm = answer.if_contains("warm");
  bool right = verdict != nullptr && *verdict == "ok" && output != nullptr && output->is_string() &&
               output->as_string() == work.output;
  if (!right) wrong("an execution failed: " + json::serialize(answer));
  co_return warm != nullptr && warm->is_bool() && warm->as_bool();
}

}  // namespace gantry::bench
