#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "cli/commands.hpp"
#include "cli/exit_codes.hpp"
#include "main/options.hpp"
#include "main/version.hpp"
#include "net/ssh_askpass.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <boost/asio/io_context.hpp>     // the composition root owns the loop
#include <boost/asio/signal_set.hpp>     // and the process's signals
#include <boost/asio/use_awaitable.hpp>  // the same
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

// The program: arguments, environment and signals come in here and nowhere else. `gantry serve`
// goes on in serve.cpp; everything else is a command of cli, run on a loop of its own.
namespace gantry::main {
namespace asio = boost::asio;
namespace {

constexpr std::size_t worker_queue = 16;
constexpr int exit_output_closed = 128 + SIGPIPE;

Result<std::string> read_file(const std::filesystem::path& path) {
  auto refuse = [&](std::string_view cause) {
    return fail(ErrorKind::not_found, "no_configuration",
                fmt::format("cannot read configuration '{}': {}", path.string(), cause),
                "name a file with --config or GANTRY_CONFIG");
  };
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return refuse(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return refuse("it is not a regular file");
  std::ifstream file{path, std::ios::binary};
  if (!file) return refuse(std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

Surroundings surroundings_of(char** environment) {
  Surroundings world;
  for (; *environment != nullptr; ++environment) {
    std::string_view entry{*environment};
    auto equals = entry.find('=');
    if (equals == entry.npos) continue;
    world.variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  world.exists = [](const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  };
  world.is_file = [](const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
  };
  world.read = read_file;
  return world;
}

/// As nohup(1) leaves SIGHUP.
bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// The first Ctrl-C, or the terminal's end, asks the command to end; the second Ctrl-C does not
/// wait for it. A terminal that ends may say so more than once.
async::task<void> watch_signals(async::StopSignal& interrupted, cli::ScreenWatch& screen) {
  asio::signal_set signals{co_await asio::this_coro::executor, SIGINT, SIGTERM};
  if (!is_ignored(SIGHUP)) signals.add(SIGHUP);
  co_await signals.async_wait(asio::use_awaitable);
  interrupted.stop();
  while (co_await signals.async_wait(asio::use_awaitable) == SIGHUP) continue;
  if (screen.restore) screen.restore();
  std::_Exit(cli::exit_interrupted);
}

async::task<void> watch_screen(cli::ScreenWatch& screen) {
  asio::signal_set signals{co_await asio::this_coro::executor, SIGWINCH};
  for (;;) {
    co_await signals.async_wait(asio::use_awaitable);
    screen.resized.notify();
  }
}

template <class Command>
int exit_code_of(const Command&, const Error& error) {
  if (error.code == "interrupted") return cli::exit_interrupted;
  if (error.code == "output_closed") return exit_output_closed;
  // The program's own exit codes must not be mistaken for ours.
  constexpr bool runs_another = std::is_same_v<Command, cli::ExecCommand> ||
                                std::is_same_v<Command, cli::ContainerExecCommand>;
  if constexpr (runs_another) return cli::exit_infrastructure;
  return cli::exit_code_of(error);
}

template <class Command>
async::task<void> run_and_report(cli::Context& context, Command command, int& exit_code) {
  auto ran = co_await async::attempt(cli::run(context, command));
  if (ran) {
    exit_code = *ran;
    co_return;
  }
  exit_code = exit_code_of(command, ran.error());
  // Whoever closes a pipe early knows it, and so does who pressed Ctrl-C.
  if (exit_code == exit_output_closed || ran.error().code == "interrupted") co_return;
  context.terminal.err(cli::error_line(ran.error(), command.format));
}

template <class Command>
int run_command(Command command) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error of its write
  int exit_code = 0;
  asio::io_context loop{1};
  async::Workers workers{1, worker_queue};
  auto kind =
      ::isatty(STDERR_FILENO) == 1 ? cli::Terminal::Kind::screen : cli::Terminal::Kind::file;
  cli::Terminal terminal{cli::writer_to(STDOUT_FILENO), cli::writer_to(STDERR_FILENO), kind};
  async::StopSignal interrupted{loop.get_executor()};
  cli::ScreenWatch screen{loop.get_executor()};
  cli::Context context{loop.get_executor(), workers, terminal,
                       interrupted,         screen,  std::string{version}};
  async::TaskScope root{loop.get_executor()};
  root.spawn("command",
             async::with_companion(
                 async::with_companion(run_and_report(context, std::move(command), exit_code),
                                       watch_signals(interrupted, screen)),
                 watch_screen(screen)));
  loop.run();
  return exit_code;
}

int show(const Shown& shown) {
  bool written = std::fwrite(shown.text.data(), 1, shown.text.size(), stdout) == shown.text.size();
  if (written && std::fflush(stdout) == 0) return 0;
  fmt::print(stderr, "gantry: cannot write output: {}\n", std::strerror(errno));
  return 1;
}

int run(Invocation invocation) {
  auto act = [](auto command) {
    using Command = decltype(command);
    if constexpr (std::is_same_v<Command, Shown>) {
      return show(command);
    } else if constexpr (std::is_same_v<Command, ServeOptions>) {
      return serve(command);
    } else if constexpr (std::is_same_v<Command, BackupCommand>) {
      return back_up(command);
    } else if constexpr (std::is_same_v<Command, AuditVerifyCommand>) {
      return verify_audit(command);
    } else {
      return run_command(std::move(command));
    }
  };
  return std::visit(act, std::move(invocation.command));
}

/// File descriptors 0 to 2 are there, so that nothing we open takes their place.
void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) == -1) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace
}  // namespace gantry::main

int main(int argc, char** argv) {
  using namespace gantry;
  main::open_standard_descriptors();
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (const char* socket = std::getenv(net::ssh_question_variable); socket != nullptr) {
    return net::answer_ssh_question(socket, arguments.empty() ? "" : arguments.front());
  }
  auto wants_json = std::ranges::find(arguments, "--json") != arguments.end();
  auto invocation = main::read_options(std::move(arguments), main::surroundings_of(environ));
  if (invocation) return main::run(std::move(*invocation));
  auto format = wants_json ? cli::Format::json : cli::Format::text;
  fmt::print(stderr, "{}", cli::error_line(invocation.error(), format));
  return cli::exit_code_of_usage(invocation.error());
}
