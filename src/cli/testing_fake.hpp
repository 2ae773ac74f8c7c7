#pragma once

#include "async/workers.hpp"
#include "cli/interrupt.hpp"
#include "cli/raw_terminal.hpp"
#include "cli/remote.hpp"
#include "net/http_server_fake.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace gantry::cli {

/// The command line of somebody who has a token, and a server that answers what a test says.
class TestRemote {
 public:
  explicit TestRemote(net::http::Handler answer, Terminal::Kind errors = Terminal::Kind::file)
      : server_{std::move(answer)},
        terminal_{[this](std::string_view bytes) { out += bytes; },
                  [this](std::string_view bytes) {
                    err += bytes;
                    if (on_said) on_said(bytes);
                  },
                  errors} {
    write_token();
  }
  TestRemote(const TestRemote&) = delete;
  TestRemote& operator=(const TestRemote&) = delete;
  ~TestRemote() { remove_token(); }

  /// The rest of `asked` is as the command line would have read it.
  Result<int> run(std::string_view command, std::string_view action, RemoteCommand asked) {
    auto all = verbs();
    auto verb = std::ranges::find_if(
        all, [&](const Verb& one) { return one.command == command && one.action == action; });
    CHECK(verb != all.end());
    asked.verb = &*verb;
    asked.server = access();
    return run(cli::run(context_, std::move(asked)));
  }
  template <class T>
  T run(async::task<T> work) {
    return server_.run(std::move(work));
  }

  Context& context() { return context_; }
  ServerAccess access() const {
    return {.url = fmt::format("http://127.0.0.1:{}", server_.port()),
            .token_file = token_file_,
            .token_file_kind = ServerAccess::TokenFile::named};
  }
  void write_token() const { std::ofstream{token_file_} << "secret\n"; }
  void remove_token() const { std::filesystem::remove(token_file_); }

  std::string out;
  std::string err;
  /// At each piece of `err`.
  std::function<void(std::string_view)> on_said;

 private:
  /// Tests run in processes of their own, several at once.
  std::filesystem::path token_file_ = fmt::format(
      "{}/gantry_token_{}", std::filesystem::temp_directory_path().string(), ::getpid());
  net::http::TestServer server_;
  async::Workers workers_{1, 4};
  Terminal terminal_;
  async::StopSignal interrupted_{server_.loop().executor()};
  ScreenWatch screen_{server_.loop().executor()};
  Context context_{.executor = server_.loop().executor(),
                   .workers = workers_,
                   .terminal = terminal_,
                   .interrupted = interrupted_,
                   .screen = screen_,
                   .version = "test"};
};

}  // namespace gantry::cli
