#include "doctor/gather.hpp"

#include "async/aside.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "doctor/access_facts.hpp"
#include "doctor/accounts.hpp"
#include "doctor/ask_engine.hpp"
#include "doctor/deep.hpp"
#include "doctor/endpoint_choice.hpp"
#include "doctor/files.hpp"
#include "doctor/machine.hpp"
#include "doctor/services.hpp"
#include "doctor/tools.hpp"
#include "engine/client.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

using Scheme = net::Endpoint::Scheme;

/// Divides the time among what is done one after the other, so that something is left for each.
class Budget {
 public:
  explicit Budget(Milliseconds whole) : whole_{whole}, end_{steady_now() + whole} {}
  Milliseconds part() const { return at_most(whole_ / 3); }
  Milliseconds tools() const { return at_most(whole_ / 2); }
  Milliseconds engine() const { return at_most(whole_ * 2 / 3); }
  /// For what comes after the engine's answer.
  Milliseconds last() const { return std::clamp(left(), Milliseconds{1}, whole_ / 3); }

 private:
  Milliseconds at_most(Milliseconds limit) const {
    return std::clamp(left() - whole_ / 9, Milliseconds{1}, limit);
  }
  Milliseconds left() const {
    return std::chrono::duration_cast<Milliseconds>(end_ - steady_now());
  }
  Milliseconds whole_;
  SteadyTime end_;
};

/// What `work` sees at a place, which may hang while others do not; empty: the machine's own.
/// Nothing when it did not answer in time, which is noted.
template <class Work>
async::task<std::optional<std::invoke_result_t<Work>>> seen(Facts& facts, Part part,
                                                            std::string place, Milliseconds limit,
                                                            Work work) {
  auto doing = fmt::format("looking at {} '{}'", words(part), place);
  auto answer =
      co_await async::attempt(async::aside(limit, std::move(doing), [work = std::move(work)] {
        return std::optional{work()};  // a refusal within is no failure to look
      }));
  if (!answer) facts.late.push_back(part);
  co_return answer ? std::move(*answer) : std::nullopt;
}

Result<Subject> subject_without_accounts(const Question& question) {
  bool by_name = !question.user.empty() || !question.service.empty();
  if (!by_name && !question.pid) return this_process_alone(question.kind);
  auto subject = by_name ? std::nullopt : of_process_alone(*question.pid);
  if (!subject) {
    return fail(ErrorKind::timed_out, "accounts_timed_out",
                "cannot look up the account: the name service of this machine does not answer",
                "see which one is slow: 'grep -E \"^(passwd|group)\" /etc/nsswitch.conf'");
  }
  return std::move(*subject);
}

Result<Subject> look_at_service(const Service& service) {
  bool runs = service.pid != 0;
  auto subject = runs ? of_process(service.pid) : of_service_account(service.account);
  if (!subject) return subject;
  if (runs) add_groups(*subject, service.account.groups);
  subject->what = fmt::format("service '{}'{}", service.unit, runs ? "" : " (not running)");
  subject->service = service.unit;
  return subject;
}

Result<Subject> look_at_subject(const Question& question, const std::optional<Service>& service) {
  if (question.pid) return of_process(*question.pid);
  if (!question.user.empty()) return of_user(question.user);
  if (!service) return this_process(question.kind);
  return look_at_service(*service);
}

async::task<Result<Subject>> subject_of(Facts& facts, Question question, std::string path,
                                        Milliseconds limit) {
  auto end = steady_now() + limit;
  std::optional<Service> service;
  if (!question.service.empty()) {
    auto found = co_await find_service(question.service, std::move(path), limit);
    if (!found) co_return fail(std::move(found.error()));
    service = std::move(*found);
  }
  auto left = std::chrono::duration_cast<Milliseconds>(end - steady_now());
  auto whose = question.pid ? std::to_string(*question.pid) : std::string{};
  auto subject =
      co_await seen(facts, Part::account, std::move(whose), std::max(left, Milliseconds{1}),
                    [question, service] { return look_at_subject(question, service); });
  if (subject) co_return std::move(*subject);
  co_return subject_without_accounts(question);
}

async::task<void> choose(Facts& facts, std::optional<net::TlsClient>& tls, const Question& question,
                         const Environment& environment, Milliseconds limit) {
  auto choice =
      co_await seen(facts, Part::config, environment.docker_folder.string(), limit,
                    [question, environment] { return choose_endpoint(question, environment); });
  if (!choice) choice = choose_without_files(question, environment);
  facts.endpoint = std::move(choice->facts);
  tls = std::move(choice->tls);
}

/// The socket and the groups, for whose sake most come.
async::task<void> look_at_socket_of(Facts& facts, std::filesystem::path runtime_folder,
                                    Milliseconds limit) {
  auto looked = co_await seen(facts, Part::access, facts.endpoint.text, limit,
                              [so_far = facts, runtime_folder] {
                                auto all = so_far;
                                look_at_access(all, runtime_folder);
                                return all;
                              });
  if (!looked) co_return;
  looked->late = std::move(facts.late);
  facts = std::move(*looked);
}

struct MachineFacts {
  std::string name;
  std::vector<std::string> exposed;
  std::optional<bool> clock_synchronised;
  bool apparmor = false;
};

MachineFacts machine_facts() {
  MachineFacts facts;
  facts.exposed = listening_at(file_text("/proc/net/tcp").value_or(""),
                               file_text("/proc/net/tcp6").value_or(""), {2375, 2376});
  facts.clock_synchronised = clock_is_synchronised();
  facts.apparmor = kernel_has_apparmor();
  return facts;
}

async::task<void> look_at_machine(Facts& facts, Milliseconds limit) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) facts.machine = name.data();
  auto looked = co_await seen(facts, Part::machine, {}, limit, machine_facts);
  if (!looked) co_return;
  facts.exposed = std::move(looked->exposed);
  facts.clock_synchronised = looked->clock_synchronised;
  facts.apparmor_in_kernel = looked->apparmor;
}

struct DataFacts {
  std::optional<bool> logs_bounded;
  std::optional<DiskFacts> disk;
  std::optional<LogFacts> logs;
};

DataFacts data_facts(const std::string& root, const std::filesystem::path& settings,
                     SteadyTime until) {
  auto text = daemon_settings_in(settings);
  auto folder = trusted_folder(root);
  return {.logs_bounded = text ? logs_are_bounded(*text) : std::nullopt,
          .disk = disk_at(folder),
          .logs = logs_in(folder, until)};
}

/// Who owns the socket says where the engine's files are.
bool is_trusted(const SocketFile& socket) {
  return socket.uid == root || socket.uid == ::geteuid();
}

/// The engine's own files, where it is an engine of this machine's root.
async::task<void> look_at_data(Facts& facts, std::filesystem::path settings, Milliseconds limit) {
  bool here =
      facts.engine_is_here() && is_trusted(*facts.socket) && !facts.engine.has_security("rootless");
  if (!here) co_return;
  if (auto own = own_settings_file(facts.engine.data_root)) settings = std::move(*own);
  auto until = steady_now() + limit / 2;
  auto root = facts.engine.data_root;
  auto looked = co_await seen(facts, Part::data, root, limit, [root, settings, until] {
    return data_facts(root, settings, until);
  });
  if (!looked) co_return;
  facts.logs_bounded = looked->logs_bounded;
  facts.disk = std::move(looked->disk);
  facts.container_logs = std::move(looked->logs);
}

/// Nothing where there is no engine that could be dialled from here.
std::optional<net::Endpoint> reachable_endpoint(Facts& facts) {
  if (facts.endpoint.wrong || (facts.endpoint.tls && facts.endpoint.tls->wrong)) {
    facts.engine.error = facts.endpoint.wrong ? facts.endpoint.wrong : facts.endpoint.tls->wrong;
    return std::nullopt;
  }
  return value_or_throw(net::Endpoint::parse(facts.endpoint.text));
}

async::task<void> look_at_engine(async::Executor executor, Facts& facts, net::Connect connect,
                                 net::Endpoint endpoint, Milliseconds limit) {
  engine::Client client{executor, std::move(connect), endpoint};
  auto asked = co_await async::attempt(async::with_deadline(
      limit, fmt::format("asking the engine on '{}'", facts.endpoint.text), ask_engine(client)));
  facts.engine = asked ? std::move(*asked) : EngineFacts{.error = asked.error()};
}

async::task<void> find_tools(Facts& facts, const Environment& environment, Milliseconds limit) {
  auto tools = co_await look_for_tools(environment.path, environment.docker_folder.string(), limit);
  facts.docker = std::move(tools.docker);
  facts.compose_v1 = std::move(tools.compose_v1);
  facts.compose_v2 = std::move(tools.compose_v2);
  facts.buildx = std::move(tools.buildx);
  facts.rootless.installed = tools.rootless_installed;
}

/// One after the other what needs what came before; beside each other what does not.
async::task<void> look_at_all(async::Executor executor, Facts& facts, Question question,
                              Environment environment, std::optional<net::TlsClient> tls,
                              Budget budget) {
  co_await look_at_socket_of(facts, environment.runtime_folder, budget.part());
  facts.rootless.runtime_folder = !environment.runtime_folder.empty();
  find_rootless(facts);
  auto beside = async::both(look_at_machine(facts, budget.part()),
                            find_tools(facts, environment, budget.tools()));
  auto endpoint = reachable_endpoint(facts);
  net::Connect connect;
  if (endpoint) {
    connect = net::dialer(executor, *endpoint, tls);
    co_await async::both(look_at_engine(executor, facts, connect, *endpoint, budget.engine()),
                         std::move(beside));
  } else {
    co_await std::move(beside);
  }
  co_await look_at_data(facts, environment.daemon_settings, budget.last());
  if (!question.deep) co_return;
  facts.deep = co_await look_deep(std::move(executor), facts.engine, environment.run_canary,
                                  std::move(connect), std::move(endpoint));
}

Facts& elsewhere(Facts& facts, const net::Endpoint& endpoint) {
  facts.sight = Sight::engine;
  facts.place = facts.machine = endpoint.host();
  facts.unseen = "not seen from here: it is another machine";
  facts.engine.error = Error{
      ErrorKind::invalid, "engine_elsewhere",
      fmt::format("cannot examine '{}' from here: it is another machine", facts.endpoint.text),
      "run 'gantry doctor' there, or 'gantry hosts doctor' where it is a host of a server"};
  return facts;
}

}  // namespace

async::task<Result<Facts>> gather(async::Executor executor, Question question,
                                  Environment environment) {
  Budget budget{environment.whole_time};
  Facts facts;
  facts.at = environment.clock.now();
  std::optional<net::TlsClient> tls;
  std::optional<Result<Subject>> subject;
  co_await async::both(
      choose(facts, tls, question, environment, budget.part()),
      async::detail::keep(subject_of(facts, question, environment.path, budget.part()), subject));
  if (!*subject) co_return fail(std::move(subject->error()));
  facts.subject = std::move(**subject);
  // What is seen of this machine would say nothing of that one.
  auto endpoint = net::Endpoint::parse(facts.endpoint.text);
  if (endpoint && endpoint->scheme() == Scheme::ssh) co_return elsewhere(facts, *endpoint);
  co_await look_at_all(std::move(executor), facts, std::move(question), std::move(environment),
                       std::move(tls), budget);
  co_return facts;
}

}  // namespace gantry::doctor
