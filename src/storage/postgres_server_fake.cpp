#include "storage/postgres_server_fake.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gantry::storage {
namespace fs = std::filesystem;
namespace {

constexpr int start_tries = 3'000;
constexpr int between_tries_ms = 20;

/// The newest one that Debian's packages have put there, or what PATH usually holds.
fs::path program(std::string_view name) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", none}) {
    auto path = version.path() / "bin" / name;
    if (fs::exists(path)) found.push_back(path);
  }
  for (const auto* folder : {"/usr/bin", "/usr/local/bin"}) {
    if (found.empty() && fs::exists(fs::path{folder} / name))
      found.push_back(fs::path{folder} / name);
  }
  return found.empty() ? fs::path{} : *std::ranges::max_element(found);
}

const passwd* unprivileged() {
  for (const auto* name : {"postgres", "nobody"}) {
    if (const auto* user = ::getpwnam(name)) return user;
  }
  return nullptr;
}

void wait_for(pid_t process, std::string_view what) {
  int status = 0;
  ::waitpid(process, &status, 0);
  if (status != 0) throw std::runtime_error{fmt::format("{} failed", what)};
}

}  // namespace

std::string PostgresServer::missing() {
  if (program("initdb").empty() || program("postgres").empty())
    return "PostgreSQL is not installed";
  if (::geteuid() == 0 && unprivileged() == nullptr) return "there is no user to run it as";
  return {};
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

PostgresServer::PostgresServer() {
  std::string pattern{"/tmp/gantry-postgres-XXXXXX"};
  folder_ = ::mkdtemp(pattern.data());
  if (::geteuid() == 0) {
    const auto* user = unprivileged();
    if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error{"the folder's owner can not be changed"};
    }
  }
  // Its own order of texts is that of a language, so that ours is seen to be kept.
  wait_for(as_user("initdb", {"-D", (folder_ / "data").string(), "-A", "trust", "-U", "gantry",
                              "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu",
                              "--icu-locale=en-US", "--no-sync"}),
           "initdb");
  start();
}

PostgresServer::~PostgresServer() {
  stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t PostgresServer::as_user(std::string_view name,
                              std::initializer_list<std::string> arguments) const {
  std::vector<std::string> words{"setpriv", "--pdeathsig", "INT"};
  if (::geteuid() == 0) {
    const auto* user = unprivileged();
    for (auto word : {std::string{"--reuid"}, std::to_string(user->pw_uid), std::string{"--regid"},
                      std::to_string(user->pw_gid), std::string{"--clear-groups"}}) {
      words.push_back(std::move(word));
    }
  }
  words.push_back(program(name).string());
  words.insert(words.end(), arguments);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  auto log = (folder_ / "log").string();
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t process = 0;
  auto failed =
      ::posix_spawnp(&process, argv[0], &actions, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error{"setpriv can not be started"};
  return process;
}

void PostgresServer::start() {
  // Without fsync: what is tested here is not the disk.
  process_ = as_user("postgres", {"-D", (folder_ / "data").string(), "-k", folder_.string(), "-c",
                                  "listen_addresses=", "-c", "fsync=off", "-c",
                                  "max_connections=40", "-c", "shared_buffers=16MB"});
  auto where = fmt::format("host={} user=gantry dbname=postgres", folder_.string());
  for (int tries = 0; tries < start_tries; ++tries) {
    if (PQping(where.c_str()) == PQPING_OK) return;
    ::poll(nullptr, 0, between_tries_ms);
  }
  throw std::runtime_error{"the PostgreSQL server does not start"};
}

void PostgresServer::stop() {
  if (process_ == 0) return;
  ::kill(process_, SIGINT);
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = 0;
}

std::string PostgresServer::ask(const std::string& sql) const {
  auto where = fmt::format("host={} user=gantry dbname=postgres", folder_.string());
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(where.c_str()), &PQfinish};
  std::unique_ptr<PGresult, decltype(&PQclear)> answer{PQexec(connection.get(), sql.c_str()),
                                                       &PQclear};
  auto status = PQresultStatus(answer.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error{PQerrorMessage(connection.get())};
  }
  return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

std::string PostgresServer::url(std::string_view schema, const fs::path& folder) const {
  ask(fmt::format("CREATE SCHEMA IF NOT EXISTS \"{}\"", schema));
  return fmt::format("postgresql:///postgres?host={}&user=gantry&options=-csearch_path%3D{}",
                     folder.string(), schema);
}

}  // namespace gantry::storage
