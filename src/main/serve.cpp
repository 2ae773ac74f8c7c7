#include "access/access.hpp"
#include "api/api.hpp"
#include "api/containers.hpp"
#include "api/execution_json.hpp"
#include "api/host_names.hpp"
#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "async/workers.hpp"
#include "base/random.hpp"
#include "cli/local_server.hpp"
#include "doctor/explain.hpp"
#include "engine/client.hpp"
#include "executions/executions.hpp"
#include "executions/image_keeper.hpp"
#include "executions/registries.hpp"
#include "executions/webhooks.hpp"
#include "fleet/fleet.hpp"
#include "fleet/left_enders.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/open_execs.hpp"
#include "fleet/operations.hpp"
#include "fleet/stats_hub.hpp"
#include "main/database_options.hpp"
#include "main/greeting.hpp"
#include "main/private_file.hpp"
#include "main/secret_key.hpp"
#include "main/serve_options.hpp"
#include "main/version.hpp"
#include "monitor/doctors.hpp"
#include "net/endpoint.hpp"
#include "net/http_server.hpp"
#include "net/tls_files.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/ender.hpp"
#include "sandbox/executors.hpp"
#include "storage/backup.hpp"
#include "storage/metered.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>     // the event loop itself is made here
#include <boost/asio/signal_set.hpp>     // and signals are read here
#include <boost/asio/use_awaitable.hpp>  // by co_await
#include <fmt/format.h>
#include <signal.h>

// The composition root of the server: constructs and connects, from the bottom of the house to its
// top, runs until told to stop, and takes it apart in the opposite order.
namespace gantry::main {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

// The rest of the process waits for these at most so long when it is told to stop.
constexpr Milliseconds requests_grace{5'000};
constexpr Milliseconds executions_grace{20'000};
/// Many containers may each take their grace to stop before the next has its turn.
constexpr Milliseconds operations_turn_max{300'000};
constexpr Milliseconds left_enders_pause{300'000};
constexpr std::size_t worker_threads = 2;
constexpr std::size_t worker_queue = 256;

/// The id by which this server knows its own containers, made once per data directory.
std::string server_id(const fs::path& data_dir) {
  auto path = data_dir / "server.id";
  std::string id;
  std::getline(std::ifstream{path}, id);
  if (id.empty()) {
    id = random::word(20);
    write_private(path, id + "\n");
  }
  return id;
}

/// What webhooks are signed with: as configured, or made once per data directory.
Secret webhook_secret(const ServeOptions& options) {
  if (!options.executions.webhook_secret.empty()) return options.executions.webhook_secret;
  auto path = options.data_dir / "webhook.secret";
  std::string secret;
  std::getline(std::ifstream{path}, secret);
  if (secret.empty()) {
    secret = random::word(40);
    write_private(path, secret + "\n");
  }
  return Secret{std::move(secret)};
}

executions::Workspaces::Settings workspace_settings(const ServeOptions& options) {
  auto settings = options.executions.workspaces;
  settings.folder = options.data_dir / "workspaces";
  return settings;
}

/// Whom https webhooks trust.
net::TlsClient webhook_tls(const ServeOptions& options) {
  return value_or_throw(net::load_tls_client({.authorities = options.tls.webhook_ca}));
}

/// Who the server is to other machines; nothing: it speaks plain HTTP to them.
std::optional<net::TlsServerFiles> certificates(const ServeOptions& options) {
  if (options.tls.certificate.empty()) return std::nullopt;
  return value_or_throw(net::TlsServerFiles::open(options.tls.certificate, options.tls.key));
}

std::string webhook_body(const executions::Record& record) {
  return json::serialize(json::Object{{"event", "execution.finished"},
                                      {"execution", api::execution_item_json(record)}});
}

/// Whose way to an engine is explained: that of a server, to readers elsewhere.
constexpr auto its_own = doctor::Subject::Kind::server;

/// Whoever dials a host of the fleet hears what the doctor finds on the way to its engine.
fleet::Tailor with_diagnosis(const async::Executor& executor, const Clock& clock) {
  return [executor, clock](const net::Endpoint& endpoint, net::SshTunnel* tunnel) {
    if (tunnel == nullptr) return doctor::explaining(executor, endpoint, clock, its_own);
    auto run = [tunnel](std::string script) { return tunnel->run(std::move(script)); };
    return doctor::explaining_far(executor, endpoint, run, clock);
  };
}

/// While nobody waits for it: a reload ends no server that starts or stops.
void ignore_reloads() { ::signal(SIGHUP, SIG_IGN); }

/// Afterwards the others end the process at once: who asks twice does not want to wait.
async::task<void> until_told_to_stop(std::function<void()> look_again) {
  asio::signal_set signals{co_await asio::this_coro::executor, SIGINT, SIGTERM, SIGHUP};
  auto signal = co_await signals.async_wait(asio::use_awaitable);
  for (; signal == SIGHUP; signal = co_await signals.async_wait(asio::use_awaitable)) look_again();
  log::info("stopping: {}", signal == SIGINT ? "interrupted" : "asked to terminate");
}

class Server {
 public:
  Server(async::Executor executor, const ServeOptions& options,
         std::unique_ptr<storage::MeteredDatabase> database, const Sealer& sealer)
      : options_{options},
        workers_{worker_threads, worker_queue},
        database_{std::move(database)},
        access_{executor, *database_, {.clock = clock_, .password_cost = {}, .sealer = sealer}},
        endpoint_{value_or_throw(net::Endpoint::parse(options.engine))},
        engine_tls_{value_or_throw(net::load_tls_client(options.tls.engine))},
        engine_{executor,
                doctor::explained(executor, net::dialer(executor, endpoint_, engine_tls_),
                                  endpoint_, clock_, its_own),
                endpoint_},
        fleet_{executor,
               *database_,
               {.local = {endpoint_, engine_tls_},
                .sealer = sealer,
                .clock = clock_,
                .ssh = options.ssh,
                .hidden = &api::is_sandbox,
                .tailor = with_diagnosis(executor, clock_)}},
        doctors_{executor, *database_, fleet_, {.environment = options.doctor, .clock = clock_}},
        operations_{executor, *database_, {.clock = clock_, .turn_max = operations_turn_max}},
        logs_{executor},
        stats_{executor},
        recordings_{*database_,
                    workers_,
                    sealer,
                    {.folder = options.data_dir / "recordings", .clock = clock_}},
        open_execs_{*database_,
                    operations_,
                    {.clock = clock_,
                     .owner = server_id(options.data_dir),
                     .ender = sandbox::ender(clock_)}},
        terminals_{executor,
                   operations_,
                   &recordings_,
                   {.clock = clock_, .ender = sandbox::ender(clock_), .open_execs = &open_execs_}},
        registries_{*database_, sealer, clock_},
        image_keeper_{executor,
                      *database_,
                      engine_,
                      {.unused_max = options.images.unused_max, .clock = clock_}},
        sandbox_{executor,
                 engine_,
                 {.owner = server_id(options.data_dir),
                  .images = image_settings(),
                  .clock = clock_,
                  .pool = options.executions.pool,
                  .outbound = options.executions.outbound}},
        local_{executor,
               {.owner = server_id(options.data_dir),
                .trust = options.local.trust,
                .languages = options.languages}},
        executors_{sandbox_, options.local.use == LocalOptions::Use::yes ? &local_ : nullptr,
                   [this] { return fleet_.local_view().state != fleet::EngineState::unreachable; }},
        webhooks_{executor,
                  *database_,
                  {.secret = webhook_secret(options),
                   .reach = options.executions.webhook_reach,
                   .tls = webhook_tls(options),
                   .body = &webhook_body,
                   .clock = clock_}},
        executions_{executor,
                    *database_,
                    executors_,
                    workers_,
                    {.running_max = options.executions_max,
                     .queued_max = options.queue_max,
                     .user = options.executions.user,
                     .token = options.executions.token,
                     .kept = options.executions.kept,
                     .folder = options.data_dir / "executions",
                     .workspaces = workspace_settings(options),
                     .webhooks = &webhooks_,
                     .possible =
                         [this](const sandbox::Policy& policy, sandbox::ExecutorChoice choice) {
                           return choice == sandbox::ExecutorChoice::local
                                      ? ok
                                      : sandbox_.known_refusal(policy);
                         },
                     .clock = clock_}},
        oidc_{oidc(executor, sealer)},
        api_{services(executor)},
        certificates_{certificates(options)},
        http_{
            executor, {}, [this](net::http::Exchange& exchange) { return api_.handle(exchange); }},
        tasks_{executor} {}

  async::task<void> start() {
    http_.trust(options_.trusted_proxies);
    co_await access_.start();
    co_await fleet_.start();
    co_await doctors_.start();
    access_.name_hosts(api::host_names(fleet_));
    co_await recordings_.start();
    co_await open_execs_.start();
    co_await registries_.start();
    co_await image_keeper_.start();
    co_await executions_.start();
    co_await webhooks_.start();
    std::vector<Listener> listeners;
    for (const auto& address : options_.listen) {
      listeners.push_back(listen(address));
    }
    auto token_file = options_.data_dir / cli::local_token_file;
    // Before the token: a new one never stands beside the addresses of the last server.
    write_private(cli::addresses_beside(token_file), cli::addresses_text(urls_of(listeners)));
    write_private(token_file, access_.local_token().reveal());
    tasks_.spawn("http server", http_.run());
    fleet_.supervise();
    tasks_.spawn("sandboxes", executors_.maintain());
    tasks_.spawn("recordings", recordings_.maintain());
    tasks_.spawn("shells left behind",
                 open_execs_.end_left([this](const fleet::HostId& id) { return fleet_.find(id); }));
    tasks_.spawn("helpers left behind",
                 fleet::remove_left_enders(fleet_, sandbox::ender(clock_), left_enders_pause));
    tasks_.spawn("image keeper", image_keeper_.maintain());
    tasks_.spawn("pulls at start", sandbox_.prepull(options_.images.prepull));
    warnings_ = listener_warnings(options_.anonymous_execute, listeners);
    for (const auto& line : warnings_) log::warn("{}", line);
    fmt::print("{}", greeting(options_, listeners, access_.renew_setup_secret(), token_file));
    std::fflush(stdout);
  }

  /// What may change under a running server is its certificate.
  void look_again() {
    bool fine = !certificates_ || certificates_->look();
    log::info("asked to look again (SIGHUP): {}; settings are read at the start",
              !certificates_ ? "there is no certificate"
              : fine         ? "the certificate is the one in its file"
                             : "the certificate in its file can not be used");
  }

  async::task<void> stop() {
    co_await executions_.close(executions_grace);
    co_await webhooks_.close();
    co_await terminals_.close();
    co_await doctors_.close();
    co_await http_.close(requests_grace);
    co_await tasks_.close();
    co_await logs_.close();
    co_await stats_.close();
    co_await fleet_.close();
    co_await operations_.close();
    co_await sandbox_.close();
    co_await local_.close();
    co_await image_keeper_.close();
    co_await access_.close();
    std::error_code ignored;
    auto token_file = options_.data_dir / cli::local_token_file;
    fs::remove(token_file, ignored);
    fs::remove(cli::addresses_beside(token_file), ignored);
  }

 private:
  /// Loopback stays plain: nobody listens in there, and this machine's own tools need no
  /// certificate for it.
  Listener listen(const std::string& address) {
    bool open = listener_of(address, 0).reach == Listener::Reach::network;
    if (!certificates_ || !open) return listener_of(address, value_or_throw(http_.listen(address)));
    auto who = [this] { return certificates_->current(); };
    auto port = value_or_throw(http_.listen_tls(address, std::move(who)));
    return listener_of(address, port, net::http::Transport::tls);
  }

  sandbox::ImageSettings image_settings() {
    return {.aliases = options_.image_aliases,
            .rules = options_.images.rules,
            .find_login = [this](const std::string& host) { return registries_.find(host); },
            .on_use = [this](const std::string& reference,
                             sandbox::ImageUse use) { image_keeper_.note(reference, use); }};
  }

  std::vector<sandbox::PoolView> pools() const {
    auto views = sandbox_.pool();
    for (auto& view : local_.views()) views.push_back(std::move(view));
    return views;
  }

  std::unique_ptr<access::Oidc> oidc(const async::Executor& executor, const Sealer& sealer) {
    if (!options_.oidc) return nullptr;
    return std::make_unique<access::Oidc>(executor, read_oidc(*options_.oidc), clock_, sealer);
  }

  async::task<async::Descriptor> make_backup() {
    storage::BackupHead head{.program = std::string{version}, .made_at = clock_.now()};
    return storage::nameless_backup(*database_, options_.data_dir, std::move(head));
  }

  api::Services services(async::Executor executor) {
    return {.executor = executor,
            .access = access_,
            .executions = executions_,
            .fleet = fleet_,
            .doctors = doctors_,
            .operations = operations_,
            .logs = logs_,
            .stats = stats_,
            .terminals = terminals_,
            .recordings = recordings_,
            .engine = engine_,
            .registries = registries_,
            .images = image_keeper_,
            .aliases = sandbox_.aliases(),
            .workers = workers_,
            .clock = clock_,
            .version = std::string{version},
            .started_at = clock_.now(),
            .anonymous_execute = options_.anonymous_execute == AnonymousExecute::yes
                                     ? api::AnonymousExecute::on_loopback
                                     : api::AnonymousExecute::refused,
            .allowed_hosts = options_.allowed_hosts,
            .pools = [this] { return pools(); },
            .pool_memory_max = options_.executions.pool.memory,
            .allowed_origins = options_.allowed_origins,
            .languages = options_.languages,
            .bounds = options_.bounds,
            .backups = {.make = [this] { return make_backup(); }},
            .database = &database_->stats(),
            .oidc = oidc_.get(),
            .warnings = &warnings_};
  }

  const ServeOptions& options_;
  Clock clock_;
  async::Workers workers_;
  std::unique_ptr<storage::MeteredDatabase> database_;
  access::Access access_;
  net::Endpoint endpoint_;
  net::TlsClient engine_tls_;
  engine::Client engine_;
  fleet::Fleet fleet_;
  monitor::Doctors doctors_;
  fleet::Operations operations_;
  fleet::LogHub logs_;
  fleet::StatsHub stats_;
  fleet::Recordings recordings_;
  fleet::OpenExecs open_execs_;
  fleet::Terminals terminals_;
  executions::Registries registries_;
  executions::ImageKeeper image_keeper_;
  sandbox::DockerExecutor sandbox_;
  sandbox::LocalExecutor local_;
  sandbox::Executors executors_;
  executions::Webhooks webhooks_;
  executions::Executions executions_;
  std::vector<std::string> warnings_;
  std::unique_ptr<access::Oidc> oidc_;
  api::Api api_;
  std::optional<net::TlsServerFiles> certificates_;
  net::http::Server http_;
  async::TaskScope tasks_;
};

async::task<void> run_server(async::Executor executor, const ServeOptions& options) {
  auto opened = co_await open_database({.data_dir = options.data_dir,
                                        .url = options.database,
                                        .password_file = options.database_password_file});
  auto database = std::make_unique<storage::MeteredDatabase>(std::move(opened));
  SecretKeyPlaces places{.file = options.data_dir / "secret.key",
                         .credential = options.secret_key_credential};
  auto sealer = co_await load_secret_key(*database, std::move(places), options.new_secret_key);
  Server server{executor, options, std::move(database), sealer};
  auto started = co_await async::attempt(server.start());
  if (started) co_await until_told_to_stop([&server] { server.look_again(); });
  ignore_reloads();
  co_await server.stop();
  if (!started) throw Failure{started.error()};
}

async::task<void> run_and_report(async::Executor executor, const ServeOptions& options,
                                 int& exit_code) {
  auto ran = co_await async::attempt(run_server(executor, options));
  if (ran) co_return;
  log::flush();
  fmt::print(stderr, "gantry: {}\n", ran.error().sentence());
  exit_code = traits(ran.error().kind).exit_code;
}

}  // namespace

int serve(const ServeOptions& options) {
  log::start(options.log_level, options.log_style);
  ::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is an error of its write
  ignore_reloads();
  int exit_code = 0;
  {
    asio::io_context loop{1};
    async::TaskScope root{loop.get_executor()};
    root.spawn("server", run_and_report(loop.get_executor(), options, exit_code));
    loop.run();
  }
  log::stop();
  return exit_code;
}

}  // namespace gantry::main
