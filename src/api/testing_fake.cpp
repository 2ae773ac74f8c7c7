#include "api/testing_fake.hpp"

#include "api/containers.hpp"
#include "api/host_names.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"
#include "net/websocket_impl.hpp"
#include "storage/backup.hpp"
#include "storage/database.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

Secret password() { return Secret{"correct horse"}; }

Sealer sealer() { return Sealer{Secret{std::string(Sealer::key_bytes, 'k')}}; }

async::task<void> handle(Api& api, net::http::Exchange& exchange) { co_await api.handle(exchange); }

async::task<std::string> read_all(net::http::Client& client, net::http::RequestHead request) {
  auto response = co_await client.stream(std::move(request));
  std::string text;
  for (;;) {
    auto piece = co_await response.read(Milliseconds{60'000});
    if (piece.empty()) co_return text;
    text += piece;
  }
}

async::task<std::string> exchange_raw(net::Connect connect, std::string bytes) {
  auto stream = co_await connect();
  co_await stream->write(bytes);
  std::string answer(4096, '\0');
  answer.resize(co_await stream->read_some(answer));
  co_return answer;
}

}  // namespace

async::task<sandbox::Outcome> ScriptedExecutor::execute(sandbox::Execution execution,
                                                        sandbox::Observer observer) {
  seen.push_back(std::move(execution));
  observer.progress("pulling the image");
  if (seen.back().program.compile) {
    observer.started(sandbox::Stage::compile);
    observer.output(sandbox::OutputStream::standard_output, compile_out);
    if (outcome.compile && outcome.compile->verdict != sandbox::Verdict::ok) co_return outcome;
  }
  observer.started(sandbox::Stage::run);
  if (auto keyboard = seen.back().keyboard; keyboard && manner == Manner::echoes) {
    observer.output(sandbox::OutputStream::standard_output, seen.back().program.input);
    co_await echo(*keyboard, observer);
    co_return outcome;
  }
  if (!out.empty()) observer.output(sandbox::OutputStream::standard_output, out);
  if (!err.empty()) observer.output(sandbox::OutputStream::standard_error, err);
  while (held_) co_await released_.wait();
  co_await async::pause(pause_);
  co_return outcome;
}

async::task<void> ScriptedExecutor::echo(sandbox::Keyboard& keyboard,
                                         const sandbox::Observer& observer) {
  while (auto keys = co_await keyboard.receive()) {
    if (keys->kind == sandbox::Keystrokes::Kind::end_of_input) break;
    if (keys->kind == sandbox::Keystrokes::Kind::signal) {
      outcome.verdict = sandbox::Verdict::signalled;
      outcome.exit_code.reset();
      outcome.signal = keys->signal;
      break;
    }
    observer.output(sandbox::OutputStream::standard_output, keys->bytes);
  }
}

async::task<void> ScriptedExecutor::maintain() { co_return; }

TestServer::TestServer(Options options)
    : sandbox_{loop_.executor()}, aliases_{{"python:3.11-alpine", "gantry/python:latest"}} {
  database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
  start_access();
  start_executions(options);
  start_fleet(options);
  start_operations();
  if (options.oidc) oidc_ = options.oidc(loop_.executor());
  api_ = std::make_unique<Api>(services(options));
  serve(options.listen);
  if (options.owner == Options::Owner::absent) return;
  auto secret = *access_->renew_setup_secret();
  auto made = loop_.run(access_->create_owner(secret, "ada", password(), "192.0.2.1"));
  owner_ = value_or_throw(std::move(made)).identity;
}

void TestServer::start_access() {
  access_ = std::make_unique<access::Access>(
      loop_.executor(), *database_,
      access::Access::Settings{.clock = Clock{},
                               .password_cost = {.passes = 1, .memory_bytes = 8'192},
                               .sealer = sealer()});
  loop_.run(access_->start());
}

void TestServer::start_executions(const Options& options) {
  auto executor = loop_.executor();
  webhooks_.emplace(executor, *database_,
                    executions::Webhooks::Settings{.secret = Secret{"secret"}, .clock = Clock{}});
  executions_ = std::make_unique<executions::Executions>(
      executor, *database_, sandbox_, workers_,
      executions::Executions::Settings{.running_max = 2,
                                       .queued_max = options.queued_max,
                                       .kept = options.kept,
                                       .folder = folder_.path() / "executions",
                                       .workspaces = {.folder = folder_.path() / "workspaces"},
                                       .webhooks = &*webhooks_,
                                       .clock = Clock{}});
  loop_.run(executions_->start());
  engine_ = daemon_.client(executor);
  registries_ = std::make_unique<executions::Registries>(*database_, sealer(), Clock{});
  loop_.run(registries_->start());
  images_ = std::make_unique<executions::ImageKeeper>(executor, *database_, *engine_,
                                                      executions::ImageKeeper::Settings{});
  loop_.run(images_->start());
}

void TestServer::start_fleet(const Options& options) {
  auto executor = loop_.executor();
  fleet_ = std::make_unique<fleet::Fleet>(
      executor, *database_,
      fleet::Fleet::Settings{
          .local = {value_or_throw(net::Endpoint::parse("unix:///run/fake.sock")), {}},
          .sealer = sealer(),
          .hidden = &is_sandbox,
          .dial = [this, dial = options.dial](const fleet::HostReach& reach) {
            auto other = dial ? dial(reach) : std::nullopt;
            return other ? std::move(*other) : daemon_.server().connect();
          }});
  loop_.run(fleet_->start());
  access_->name_hosts(host_names(*fleet_));
  monitor::Doctors::Settings doctors;
  doctors.environment.docker_folder = folder_.path() / "docker";
  doctors.look = options.look;
  doctors.fresh = Milliseconds{0};
  doctors_ = std::make_unique<monitor::Doctors>(executor, *database_, *fleet_, std::move(doctors));
  loop_.run(doctors_->start());
}

void TestServer::start_operations() {
  auto executor = loop_.executor();
  operations_ = std::make_unique<fleet::Operations>(executor, *database_,
                                                    fleet::Operations::Settings{.clock = Clock{}});
  logs_ = std::make_unique<fleet::LogHub>(executor);
  stats_ = std::make_unique<fleet::StatsHub>(executor);
  recordings_ = std::make_unique<fleet::Recordings>(
      *database_, workers_, sealer(),
      fleet::Recordings::Settings{.folder = folder_.path() / "recordings"});
  loop_.run(recordings_->start());
  terminals_ = std::make_unique<fleet::Terminals>(executor, *operations_, recordings_.get(),
                                                  fleet::TerminalSettings{});
}

Services TestServer::services(const Options& options) {
  return {.executor = loop_.executor(),
          .access = *access_,
          .executions = *executions_,
          .fleet = *fleet_,
          .doctors = *doctors_,
          .operations = *operations_,
          .logs = *logs_,
          .stats = *stats_,
          .terminals = *terminals_,
          .recordings = *recordings_,
          .engine = *engine_,
          .registries = *registries_,
          .images = *images_,
          .aliases = aliases_,
          .workers = workers_,
          .clock = Clock{},
          .version = "0.1.0",
          .started_at = Clock{}.now(),
          .anonymous_execute = options.anonymous_execute,
          .allowed_hosts = options.allowed_hosts,
          .pools = [pools = options.pools] { return pools; },
          .pool_memory_max = Bytes{64U << 20U},
          .allowed_origins = options.allowed_origins,
          .bounds = options.bounds,
          .console = options.console,
          .backups = {.make = [this] { return make_backup(); }},
          .oidc = oidc_.get()};
}

void TestServer::serve(const std::string& listen) {
  server_ = std::make_unique<net::http::Server>(
      loop_.executor(), net::http::ServerLimits{},
      [this](net::http::Exchange& exchange) { return handle(*api_, exchange); });
  port_ = value_or_throw(server_->listen(listen));
  tasks_ = std::make_unique<async::TaskScope>(loop_.executor());
  tasks_->spawn("server", server_->run());
}

async::task<async::Descriptor> TestServer::make_backup() {
  return storage::nameless_backup(*database_, folder_.path(), {.program = "0.1.0", .made_at = {}});
}

TestServer::~TestServer() {
  sandbox_.release();
  loop_.run(executions_->close(Milliseconds{5'000}));
  loop_.run(webhooks_->close());
  loop_.run(terminals_->close());
  loop_.run(doctors_->close());
  loop_.run(server_->close(Milliseconds{2'000}));
  loop_.run(tasks_->close());
  loop_.run(logs_->close());
  loop_.run(stats_->close());
  loop_.run(fleet_->close());
  loop_.run(operations_->close());
  loop_.run(images_->close());
  loop_.run(access_->close());
}

void TestServer::follow(const json::Array& containers) {
  daemon_.expect("GET", "/info")
      .reply(200, R"({"Name":"vm","ServerVersion":"20.10.24","CgroupVersion":"2","NCPU":2})")
      .always();
  daemon_.expect("GET", "/events*").stream(200, {}).stay_open();
  daemon_.expect("GET", "/containers/json?all=1").reply(200, json::serialize(containers));
  supervise_link();
  loop_.run(async::until([this] { return !local_view().stale; }));
}

std::string TestServer::host() const { return fmt::format("127.0.0.1:{}", port_); }

net::Connect TestServer::dial() const {
  auto endpoint = value_or_throw(net::Endpoint::parse(fmt::format("tcp://{}", host())));
  return net::dialer(loop_.executor(), std::move(endpoint));
}

async::task<net::http::Response> TestServer::send_beside(std::string method, std::string target,
                                                         std::string body, Headers headers) {
  auto name = headers.has("Host") ? std::string{headers.get("Host")} : host();
  net::http::RequestHead request{std::move(method), std::move(target), {}};
  if (!body.empty() && !headers.has("Content-Type")) {
    request.headers.set("Content-Type", "application/json");
  }
  for (const auto& [field, value] : headers) {
    if (field != "Host") request.headers.add(field, value);
  }
  net::http::Client client{loop_.executor(), dial(), name};
  co_return co_await client.send(std::move(request), std::move(body));
}

net::http::Response TestServer::send(std::string method, std::string target, std::string body,
                                     Headers headers) {
  return loop_.run(
      send_beside(std::move(method), std::move(target), std::move(body), std::move(headers)));
}

net::http::Response TestServer::ask(std::string method, std::string target, std::string body) {
  return send(std::move(method), std::move(target), std::move(body), local());
}

std::string TestServer::send_raw(std::string bytes) {
  return loop_.run(exchange_raw(dial(), std::move(bytes)));
}

net::http::Headers TestServer::bearer(std::string_view token) {
  return {{"Authorization", fmt::format("Bearer {}", token)}};
}

std::string TestServer::read_stream(std::string target, Headers headers) {
  net::http::Client client{loop_.executor(), dial(), host()};
  return loop_.run(read_all(client, {"GET", std::move(target), std::move(headers)}));
}

async::task<net::WebSocket> TestServer::open_live(std::string token) {
  return open_socket("/api/v1/live", bearer(token));
}

async::task<net::WebSocket> TestServer::open_socket(std::string target, Headers headers) {
  // The house's client sends no Authorization: the handshake is spoken by the HTTP client, as a
  // program with a token would.
  net::http::Client client{loop_.executor(), dial(), host()};
  net::http::RequestHead request{"GET", std::move(target), std::move(headers)};
  request.headers.set("Sec-WebSocket-Version", "13");
  request.headers.set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  auto answer = co_await client.upgrade(std::move(request), "websocket");
  if (!answer.upgraded.stream) throw Failure{{ErrorKind::denied, "refused", answer.refusal, {}}};
  co_return net::make_websocket(loop_.executor(), std::move(answer.upgraded.stream),
                                net::WebSocketRole::client, {});
}

access::Identity TestServer::add_user(std::string name, access::Role role) {
  auto user =
      value_or_throw(loop_.run(access_->create_user(owner_, {std::move(name), password(), role})));
  auto signed_in = value_or_throw(loop_.run(access_->sign_in(user.name, password(), "192.0.2.2")));
  return signed_in.identity;
}

std::string TestServer::add_token(const access::Identity& by, access::Role role,
                                  std::vector<std::string> scopes,
                                  std::vector<access::Grant> grants) {
  access::NewToken wanted{.name = "test",
                          .role = role,
                          .scopes = *access::Scopes::parse(scopes),
                          .expires_at = {},
                          .grants = std::move(grants)};
  auto made = loop_.run(access_->create_token(by, std::move(wanted)));
  return std::string{value_or_throw(std::move(made)).text.reveal()};
}

std::string TestServer::cookie() {
  auto signed_in = value_or_throw(loop_.run(access_->sign_in("ada", password(), "192.0.2.1")));
  return fmt::format("gantry_{}={}", port_, signed_in.cookie.reveal());
}

json::Object object_of(const net::http::Response& response) {
  auto value = value_or_throw(json::parse(response.body, json::Keys::strict));
  return value.as_object();
}

std::string refusal_of(const net::http::Response& response) {
  if (response.head.headers.get("Content-Type") != "application/problem+json") {
    return fmt::format("{} {}", response.head.status, response.body);
  }
  auto problem = object_of(response);
  return fmt::format("{} {}", response.head.status, problem["code"].as_string().c_str());
}

}  // namespace gantry::api
