#include "fleet/terminals.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "engine/exec_lost.hpp"
#include "fleet/open_execs.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr Milliseconds find_max{8'000};
constexpr Milliseconds last_words_max{2'000};
constexpr std::size_t last_words_bytes = 4096;

Error no_such_terminal(std::string_view id) {
  return {ErrorKind::not_found, "no_such_terminal", fmt::format("cannot find terminal '{}'", id),
          "it may have ended: open another one"};
}

json::Object parameters_of(const TerminalView& view) {
  const auto& wish = view.wish;
  json::Object env;
  for (const auto& [name, value] : wish.env) env[name] = value;
  json::Object parameters{{"terminal", view.id},
                          {"id", wish.container},
                          {"columns", wish.size.columns},
                          {"rows", wish.size.rows}};
  if (!wish.shell.empty()) parameters["shell"] = wish.shell;
  json::Array arguments;
  for (const auto& argument : wish.arguments) arguments.emplace_back(argument);
  if (!arguments.empty()) parameters["arguments"] = std::move(arguments);
  if (!wish.user.empty()) parameters["user"] = wish.user;
  if (!wish.working_dir.empty()) parameters["working_dir"] = wish.working_dir;
  if (!env.empty()) parameters["env"] = std::move(env);
  return parameters;
}

engine::ExecSpec spec_of(const TerminalWish& wish, const std::string& mark) {
  engine::ExecSpec spec;
  spec.command = {wish.shell};
  spec.command.insert(spec.command.end(), wish.arguments.begin(), wish.arguments.end());
  bool has_term = false;
  for (const auto& [name, value] : wish.env) {
    spec.env.push_back(fmt::format("{}={}", name, value));
    has_term = has_term || name == "TERM";
  }
  if (!has_term) spec.env.emplace_back("TERM=xterm-256color");
  spec.env.push_back(mark);
  spec.user = wish.user;
  spec.working_dir = wish.working_dir;
  spec.attach_stdin = true;
  spec.tty = true;
  spec.size = wish.size;
  return spec;
}

json::Object parameters_of(const CommandWish& wish) {
  json::Array command;
  for (const auto& word : wish.command) command.emplace_back(word);
  json::Object env;
  for (const auto& [name, value] : wish.env) env[name] = value;
  json::Object parameters{{"id", wish.container},
                          {"command", std::move(command)},
                          {"time_max_ms", wish.bounds.time_max.count()}};
  if (!wish.user.empty()) parameters["user"] = wish.user;
  if (!wish.working_dir.empty()) parameters["working_dir"] = wish.working_dir;
  if (!env.empty()) parameters["env"] = std::move(env);
  if (!wish.input.empty()) parameters["stdin_bytes"] = wish.input.size();
  return parameters;
}

engine::ExecSpec spec_of(const CommandWish& wish) {
  engine::ExecSpec spec;
  spec.command = wish.command;
  for (const auto& [name, value] : wish.env) spec.env.push_back(fmt::format("{}={}", name, value));
  spec.user = wish.user;
  spec.working_dir = wish.working_dir;
  return spec;
}

json::Object facts_of(const engine::ExecResult& result) {
  json::Object facts{{"timed_out", result.timed_out}};
  if (result.exit_code) facts["exit_code"] = *result.exit_code;
  if (result.end.fate == engine::ProcessFate::may_live_on) facts["detail"] = result.end.detail;
  return facts;
}

/// An entry for as long as it lives.
class Counted {
 public:
  Counted(std::multiset<std::string>& all, std::string name)
      : all_{all}, mine_{all.insert(std::move(name))} {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { all_.erase(mine_); }

 private:
  std::multiset<std::string>& all_;
  std::multiset<std::string>::iterator mine_;
};

async::task<void> read_words(engine::AttachedStream& stream, std::string& words) {
  while (auto frame = co_await stream.read()) {
    words += frame->bytes;
    if (words.size() > last_words_bytes) co_return;
  }
}

/// Why a shell that does not run could not be started; nothing when it was, and has ended.
async::task<std::optional<Error>> refusal_of(std::int64_t exit_code, engine::MarkedExec exec,
                                             engine::AttachedStream& stream) {
  // What has ended well may have said a lot, and that is for its viewers.
  if (exit_code != 126 && exit_code != 127) co_return std::nullopt;
  std::string words;
  auto read = co_await async::attempt(
      async::with_deadline(last_words_max, "reading why", read_words(stream, words)));
  co_return engine::start_refusal(exit_code, words, exec.container);
}

/// What is to be started: the shell that was asked for, else one that is there.
async::task<Result<engine::MarkedExec>> make_shell(engine::Client& client, TerminalWish& wish) {
  std::vector<std::string> shells{"sh", "bash", "ash"};
  if (wish.shell.empty()) {
    auto found = co_await engine::find_shell(client, wish.container, wish.user, wish.working_dir);
    if (!found) co_return fail(std::move(found.error()));
    if (!*found) {
      co_return fail(ErrorKind::conflict, "no_shell",
                     fmt::format("cannot open a terminal in container '{}': it has neither bash, "
                                 "ash nor sh",
                                 wish.name),
                     "name a program that it has as 'shell'");
    }
    wish.shell = **found;
    shells = {wish.shell};
  }
  auto mark = engine::fresh_exec_mark();
  auto id = co_await engine::create_exec(client, wish.container, spec_of(wish, mark));
  if (!id) co_return fail(std::move(id.error()));
  co_return engine::MarkedExec{.container = wish.container,
                               .exec = std::move(*id),
                               .user = wish.user,
                               .mark = std::move(mark),
                               .shells = std::move(shells)};
}

Recording recording_of(const TerminalView& view) {
  return {.terminal = view.id,
          .host_id = view.host_id.text(),
          .host = view.host,
          .container = view.wish.name,
          .container_id = view.wish.container,
          .project = view.wish.project,
          .user_id = view.wish.owner.id,
          .user = view.wish.owner.name,
          .shell = view.wish.shell,
          .size = view.wish.size};
}

}  // namespace

class Terminals::Place {
 public:
  Place(Terminals& terminals, const std::string& host, const std::string& user)
      : terminals_{terminals}, mine_{host, user} {
    terminals_.starting_.push_back(mine_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    auto& all = terminals_.starting_;
    all.erase(std::ranges::find(all, mine_));
    terminals_.started_.notify();
  }

 private:
  Terminals& terminals_;
  std::pair<std::string, std::string> mine_;
};

bool is_recorded(const HostConfig& host) {
  auto label = host.labels.find(std::string{recording_label});
  return label != host.labels.end() && label->second == "on";
}

Terminals::Terminals(async::Executor executor, Operations& operations, Recordings* recordings,
                     TerminalSettings settings)
    : executor_{executor},
      operations_{operations},
      recordings_{recordings},
      settings_{std::move(settings)},
      started_{executor},
      running_{executor} {}

Result<> Terminals::check_room(const std::string& host, const Actor& owner) const {
  std::size_t of_user = 0;
  std::size_t of_host = 0;
  auto count = [&](const std::string& its_host, const std::string& its_user) {
    if (its_user == owner.id) ++of_user;
    if (its_host == host) ++of_host;
  };
  for (const auto& [id, session] : sessions_) {
    auto view = session->view();
    count(view.host, view.wish.owner.id);
  }
  for (const auto& [its_host, its_user] : starting_) count(its_host, its_user);
  auto refuse = [&](std::string_view whose, std::size_t there) -> Result<> {
    return fail(
        ErrorKind::exhausted, "too_many_terminals",
        fmt::format("cannot open a terminal on host '{}': {} {} open already", host, there, whose),
        "end one that is not used any more");
  };
  if (of_user >= settings_.of_user_max) return refuse("of yours are", of_user);
  if (of_host >= settings_.of_host_max) return refuse("on this host are", of_host);
  auto all = sessions_.size() + starting_.size();
  if (all >= settings_.all_max) return refuse("are", all);
  return ok;
}

async::task<Result<TerminalView>> Terminals::open(std::shared_ptr<Host> host, TerminalWish wish) {
  // A shell that was started belongs to somebody, whatever becomes of who asked for it.
  co_return co_await async::shielded(open_now(std::move(host), std::move(wish)));
}

async::task<Result<TerminalView>> Terminals::open_now(std::shared_ptr<Host> host,
                                                      TerminalWish wish) {
  if (auto room = check_room(host->name(), wish.owner); !room) co_return fail(room.error());
  if (closing_) {
    co_return fail(ErrorKind::unavailable, "server_stopping",
                   "cannot open a terminal: the server is stopping", "try again later");
  }
  Place place{*this, host->name(), wish.owner.id};
  auto now = settings_.clock.now();
  TerminalView view{.id = random::sortable_id(now.time_since_epoch().count()),
                    .host_id = host->config().id,
                    .host = host->name(),
                    .wish = std::move(wish),
                    .recording = {},
                    .created_at = now,
                    .may_live_on = {}};
  auto underway = co_await operations_.begin({.actor = view.wish.owner,
                                              .host = view.host,
                                              .action = "terminal.open",
                                              .object = view.wish.name,
                                              .parameters = parameters_of(view)});
  if (!underway) co_return fail(std::move(underway.error()));
  auto opened = co_await async::attempt(start(std::move(host), std::move(view), *underway));
  if (!opened) underway->failed(opened.error());
  co_return opened;
}

async::task<Result<>> Terminals::begin_recording(TerminalView& view,
                                                 std::optional<Recorder>& recorder) {
  if (recordings_ == nullptr) {
    co_return fail(ErrorKind::unavailable, "recording_impossible",
                   fmt::format("cannot open a terminal on host '{}': it must be recorded, and this "
                               "server keeps no recordings",
                               view.host));
  }
  auto begun = co_await async::attempt(recordings_->begin(recording_of(view)));
  if (!begun) co_return fail(std::move(begun.error()));
  recorder.emplace(std::move(*begun));
  view.recording = recorder->recording().id.text();
  co_return ok;
}

/// Nobody would ever end what nobody owns.
async::task<void> Terminals::end_unless_settled(Shell& shell) {
  if (shell.settled) co_return;
  if (shell.stream) shell.stream->close();
  shell.end = co_await engine::end_lost_exec(shell.host->engine(), shell.exec, "HUP");
}

async::task<Result<TerminalView>> Terminals::start(std::shared_ptr<Host> host, TerminalView view,
                                                   Operations::Underway& underway) {
  auto exec = co_await make_shell(host->engine(), view.wish);
  if (!exec) co_return fail(std::move(exec.error()));
  exec->ender = ender();
  Shell shell{.host = std::move(host), .exec = std::move(*exec)};
  co_await note(shell);
  // It may start before its start is answered: from here on it is not left alone.
  auto opened = co_await async::attempt(
      async::finally(hand_over(shell, std::move(view), underway), end_unless_settled(shell)));
  if (!opened && shell.end.fate == engine::ProcessFate::may_live_on) {
    opened.error().remedy =
        fmt::format("look into the container: the shell may live on: {}", shell.end.detail);
  }
  if (!opened) co_await cross_out(shell.exec.exec, shell.end.fate);
  co_return opened;
}

async::task<Result<TerminalView>> Terminals::hand_over(Shell& shell, TerminalView view,
                                                       Operations::Underway& underway) {
  auto& client = shell.host->engine();
  auto stream = co_await engine::start_exec(client, shell.exec.exec, engine::Framing::raw);
  shell.settled = !stream;
  if (!stream) co_return fail(std::move(stream.error()));
  shell.stream.emplace(std::move(*stream));
  auto session = co_await async::attempt(async::with_deadline(
      find_max, "finding the shell", engine::find_session(client, shell.exec)));
  if (session) shell.exec.session = *session;
  if (shell.exec.session) co_await note(shell);
  if (!shell.exec.session) {
    auto state = co_await engine::inspect_exec(client, shell.exec.exec);
    if (!state) co_return fail(std::move(state.error()));
    if (state->running) {
      if (shell.exec.ender == nullptr) {
        view.may_live_on = "the container has no shell with which the program could be ended";
      }
    } else if (auto refused = co_await refusal_of(state->exit_code, shell.exec, *shell.stream)) {
      shell.settled = true;
      co_return fail(std::move(*refused));
    }
  }
  std::optional<Recorder> recorder;
  if (is_recorded(shell.host->config())) {
    auto recorded = co_await begin_recording(view, recorder);
    if (!recorded) co_return fail(std::move(recorded.error()));
  }
  shell.settled = true;
  adopt({.view = view,
         .host = shell.host,
         .stream = std::move(*shell.stream),
         .exec = shell.exec,
         .recorder = std::move(recorder),
         .underway = std::move(underway)});
  co_return view;
}

void Terminals::adopt(TerminalSession::Started started) {
  auto id = started.view.id;
  auto name = fmt::format("terminal {}", id);
  auto exec = started.exec.exec;
  auto session = std::make_shared<TerminalSession>(executor_, settings_, std::move(started));
  sessions_.emplace(id, session);
  if (closing_) session->stop(TerminalEnding::server_stopping);
  running_.spawn(std::move(name), run_session(std::move(session), std::move(exec)));
}

async::task<void> Terminals::run_session(std::shared_ptr<TerminalSession> session,
                                         std::string exec) {
  co_await TerminalSession::run(session,
                                [this](const std::string& ended) { sessions_.erase(ended); });
  const auto& end = session->outcome();
  if (end) co_await cross_out(std::move(exec), end->process.fate);
}

/// Before it is started, so that whoever comes after a server that is killed knows of it.
async::task<void> Terminals::note(const Shell& shell) {
  if (settings_.open_execs == nullptr) co_return;
  co_await settings_.open_execs->note(shell.host->config().id, shell.exec);
}

/// What may live on stays for the next start of the server.
async::task<void> Terminals::cross_out(std::string exec, engine::ProcessFate fate) {
  if (settings_.open_execs == nullptr || fate != engine::ProcessFate::ended) co_return;
  auto crossed = co_await async::attempt(settings_.open_execs->cross_out(std::move(exec)));
  if (!crossed) log::warn("the end of a shell is not noted: {}", crossed.error().sentence());
}

async::task<Result<engine::ExecResult>> Terminals::run(std::shared_ptr<Host> host,
                                                       CommandWish wish) {
  auto there = commands_.count(host->name());
  if (there >= settings_.commands_of_host_max) {
    co_return fail(ErrorKind::exhausted, "host_busy",
                   fmt::format("cannot run a command on host '{}' now: {} run there already",
                               host->name(), there),
                   "try again later");
  }
  Counted counted{commands_, host->name()};
  auto underway = co_await operations_.begin({.actor = wish.owner,
                                              .host = host->name(),
                                              .action = "container.exec",
                                              .object = wish.name,
                                              .parameters = parameters_of(wish)});
  if (!underway) co_return fail(std::move(underway.error()));
  auto result = co_await async::attempt(engine::run_exec(
      host->engine(), wish.container, spec_of(wish), wish.input, wish.bounds, ender()));
  if (result) {
    underway->succeeded(facts_of(*result));
  } else {
    underway->failed(result.error());
  }
  co_return result;
}

std::vector<TerminalView> Terminals::list() const {
  std::vector<TerminalView> views;
  for (const auto& [id, session] : sessions_) views.push_back(session->view());
  return views;
}

std::shared_ptr<TerminalSession> Terminals::session(const std::string& id) const {
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

std::optional<TerminalView> Terminals::find(const std::string& id) const {
  auto found = session(id);
  if (!found) return std::nullopt;
  return found->view();
}

Result<Secret> Terminals::ticket(const std::string& id, const std::string& user) {
  if (!session(id)) return fail(no_such_terminal(id));
  return tickets_.issue({.terminal = id, .user = user}, steady_now());
}

bool Terminals::redeem(std::string_view ticket, const std::string& id, const std::string& user) {
  return tickets_.redeem(ticket, {.terminal = id, .user = user}, steady_now());
}

Result<std::unique_ptr<TerminalViewer>> Terminals::join(const std::string& id,
                                                        TerminalViewer::May may) {
  auto found = session(id);
  if (!found) return fail(no_such_terminal(id));
  if (!found->may_be_joined()) {
    return fail(ErrorKind::exhausted, "too_many_viewers",
                fmt::format("cannot watch terminal '{}': {} watch already, or it is ending", id,
                            found->view().viewers),
                "close one of its other windows");
  }
  return std::make_unique<TerminalViewer>(std::move(found), may);
}

async::task<Result<TerminalEnd>> Terminals::end(std::string id, TerminalEnding reason) {
  auto found = session(id);
  if (!found) co_return fail(no_such_terminal(id));
  found->stop(reason);
  co_return co_await found->ended();
}

async::task<void> Terminals::close() {
  closing_ = true;
  for (const auto& [id, session] : sessions_) session->stop(TerminalEnding::server_stopping);
  while (!starting_.empty()) co_await started_.wait();
  co_await running_.join();
}

}  // namespace gantry::fleet
