#pragma once

#include "access/access.hpp"
#include "api/api.hpp"
#include "async/event.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "base/json.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "executions/executions.hpp"
#include "executions/webhooks.hpp"
#include "fleet/fleet.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/operations.hpp"
#include "fleet/stats_hub.hpp"
#include "monitor/doctors.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/websocket.hpp"
#include "sandbox/executor.hpp"
#include "storage/testing_fake.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gantry::api {

/// An executor that does what a test says, and nothing to any container.
class ScriptedExecutor final : public sandbox::Executor {
 public:
  explicit ScriptedExecutor(const async::Executor& executor) : released_{executor} {}

  async::task<sandbox::Outcome> execute(sandbox::Execution execution,
                                        sandbox::Observer observer) override;
  async::task<void> maintain() override;

  /// From now on programs write what they write and then run until `release`.
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    released_.notify();
  }
  /// As `release`, and they go on for so long.
  void release_after(Milliseconds pause) {
    pause_ = pause;
    release();
  }

  std::string out = "hello\n";
  std::string err;
  std::string compile_out;  ///< Of programs with a compilation; `outcome.compile` says how it went.
  /// What programs write: `out` and `err`, or whatever is typed to them until a signal comes.
  enum class Manner { says, echoes } manner = Manner::says;
  sandbox::Outcome outcome = fine();
  std::vector<sandbox::Execution> seen;  ///< What was asked for.

 private:
  static sandbox::Outcome fine() {
    sandbox::Outcome outcome{
        {.verdict = sandbox::Verdict::ok, .exit_code = 0, .wall_time = Microseconds{12'500}}};
    outcome.served_image = "gantry/python:latest";
    return outcome;
  }

  async::task<void> echo(sandbox::Keyboard& keyboard, const sandbox::Observer& observer);

  async::Event released_;
  bool held_ = false;
  Milliseconds pause_{0};
};

/// The whole API on a loopback port, over a real database in a temporary folder. Its owner is
/// `ada`, with the password `correct horse`.
class TestServer {
 public:
  struct Options {
    AnonymousExecute anonymous_execute = AnonymousExecute::refused;
    std::string listen = "127.0.0.1:0";
    std::vector<std::string> allowed_hosts;
    std::vector<std::string> allowed_origins = {};
    enum class Owner { present, absent } owner = Owner::present;
    std::size_t queued_max = 16;
    executions::store::Retention kept = {};
    sandbox::ServerBounds bounds = {};
    std::vector<sandbox::PoolView> pools = {};
    std::span<const Asset> console = console_assets();
    /// Engines besides the scripted one, by where they are; nothing: that one.
    std::function<std::optional<net::Connect>(const fleet::HostReach&)> dial = {};
    /// Where people sign in besides.
    std::function<std::unique_ptr<access::Oidc>(const async::Executor&)> oidc = {};
    /// What there is to know of a host; nothing: what the doctor sees from here.
    monitor::Doctors::Look look = {};
  };

  explicit TestServer(Options options);
  TestServer() : TestServer{Options{}} {}
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  using Response = net::http::Response;
  using Headers = net::http::Headers;

  /// One request on a connection of its own. A Host header among `headers` replaces the usual one;
  /// without a Content-Type, a body is `application/json`.
  Response send(std::string method, std::string target, std::string body = {},
                Headers headers = {});
  async::task<Response> send_beside(std::string method, std::string target, std::string body,
                                    Headers headers);
  /// As `send`, with the local token, which may do everything.
  Response ask(std::string method, std::string target, std::string body = {});
  Headers local() const { return bearer(access().local_token().reveal()); }
  static Headers bearer(std::string_view token);

  /// Reads an event stream until it ends.
  std::string read_stream(std::string target, Headers headers);
  async::task<net::WebSocket> open_live(std::string token);
  /// Any of the server's WebSockets.
  async::task<net::WebSocket> open_socket(std::string target, Headers headers);

  /// Somebody new; answers how they sign in by token.
  access::Identity add_user(std::string name, access::Role role);
  std::string add_token(const access::Identity& by, access::Role role,
                        std::vector<std::string> scopes, std::vector<access::Grant> grants = {});
  /// The owner's cookie, ready for a Cookie header.
  std::string cookie();

  access::Access& access() const { return *access_; }
  const access::Identity& owner() const { return owner_; }
  executions::Executions& executions() { return *executions_; }
  ScriptedExecutor& sandbox() { return sandbox_; }
  engine::FakeDaemon& daemon() { return daemon_; }
  fleet::Fleet& fleet() { return *fleet_; }
  fleet::Operations& operations() { return *operations_; }
  fleet::Recordings& recordings() { return *recordings_; }
  fleet::LogHub& logs() { return *logs_; }
  fleet::StatsHub& stats() { return *stats_; }
  /// What is known of the host `local`, which is the scripted daemon.
  const fleet::HostView& local_view() const { return fleet_->local_view(); }
  executions::Registries& registries() { return *registries_; }
  executions::ImageKeeper& images() { return *images_; }
  async::TestLoop& loop() { return loop_; }
  async::TaskScope& tasks() { return *tasks_; }
  net::http::Server& server() { return *server_; }
  std::uint16_t port() const { return port_; }
  std::string host() const;
  /// Follows the scripted daemon, which has these containers, until they are known.
  void follow(const json::Array& containers);
  /// A daemon that has said nothing else of images, networks and volumes has none.
  void supervise_link() {
    daemon_.expect("GET", "/images/json*").reply(200, "[]").always();
    daemon_.expect("GET", "/networks*").reply(200, "[]").always();
    daemon_.expect("GET", "/volumes*").reply(200, "{}").always();
    fleet_->supervise();
  }
  /// One that keeps its connections.
  std::unique_ptr<net::http::Client> client() const {
    return std::make_unique<net::http::Client>(loop_.executor(), dial(), host());
  }
  /// Sends bytes as they are and answers the first that come back.
  std::string send_raw(std::string bytes);
  net::Connect dial() const;

 private:
  void start_access();
  void start_executions(const Options& options);
  void start_fleet(const Options& options);
  void start_operations();
  Services services(const Options& options);
  void serve(const std::string& listen);
  async::task<async::Descriptor> make_backup();

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  engine::FakeDaemon daemon_;
  ScriptedExecutor sandbox_;
  sandbox::ImageAliases aliases_;
  async::Workers workers_{1, 64};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<access::Access> access_;
  std::optional<executions::Webhooks> webhooks_;
  std::unique_ptr<executions::Executions> executions_;
  std::unique_ptr<engine::Client> engine_;
  std::unique_ptr<executions::Registries> registries_;
  std::unique_ptr<executions::ImageKeeper> images_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::unique_ptr<monitor::Doctors> doctors_;
  std::unique_ptr<fleet::Operations> operations_;
  std::unique_ptr<fleet::LogHub> logs_;
  std::unique_ptr<fleet::StatsHub> stats_;
  std::unique_ptr<fleet::Recordings> recordings_;
  std::unique_ptr<fleet::Terminals> terminals_;
  std::unique_ptr<access::Oidc> oidc_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<net::http::Server> server_;
  std::unique_ptr<async::TaskScope> tasks_;
  access::Identity owner_;
  std::uint16_t port_ = 0;
};

/// The members of a JSON body.
json::Object object_of(const net::http::Response& response);
/// `400 unknown_field`: what a refusal is, in short.
std::string refusal_of(const net::http::Response& response);

}  // namespace gantry::api
