#include "doctor/gather.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "doctor/access_facts.hpp"
#include "doctor/accounts.hpp"
#include "doctor/endpoint_choice.hpp"
#include "doctor/files.hpp"
#include "doctor/machine.hpp"
#include "doctor/tools.hpp"
#include "engine/client.hpp"
#include "engine/system.hpp"
#include "net/endpoint.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

using Scheme = net::Endpoint::Scheme;

constexpr Milliseconds engine_patience{3'000};
constexpr const char* daemon_settings = "/etc/docker/daemon.json";

async::task<Result<Subject>> subject_of(Question question, std::string path) {
  if (question.pid) co_return of_process(*question.pid);
  if (!question.user.empty()) co_return of_user(question.user);
  if (question.service.empty()) co_return this_process();
  auto service = co_await find_service(question.service, std::move(path));
  if (!service) co_return fail(std::move(service.error()));
  auto subject = of_process(service->pid);
  if (!subject) co_return subject;
  subject->what = fmt::format("service '{}'", service->unit);
  subject->service = service->unit;
  co_return subject;
}

void look_at_machine(Facts& facts) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) facts.machine = name.data();
  facts.exposed = listening_at(file_text("/proc/net/tcp").value_or(""),
                               file_text("/proc/net/tcp6").value_or(""), {2375, 2376});
  facts.clock_synchronised = clock_is_synchronised();
}

/// The engine's own files, where it is an engine of this machine's root.
void look_at_files(Facts& facts) {
  bool here = facts.usable_socket() != nullptr && !facts.in_container;
  if (!here || facts.engine.has_security("rootless")) return;
  // Without the file the daemon has its defaults, which bound nothing.
  facts.logs_bounded = logs_are_bounded(file_text(daemon_settings).value_or("{}"));
  facts.disk = disk_at(facts.engine.data_root);
}

async::task<void> ask_engine(engine::Client& client, EngineFacts& facts) {
  auto info = value_or_throw(co_await engine::info(client));
  auto version = value_or_throw(co_await engine::version(client));
  facts = {.error = {},
           .version = version.version,
           .api_version = version.api_version,
           .oldest_api_version = version.min_api_version,
           .os = info.os,
           .storage_driver = info.storage_driver,
           .cgroup_version = info.cgroup_version,
           .cgroup_driver = info.cgroup_driver,
           .data_root = info.root_dir,
           .log_driver = info.logging_driver,
           .live_restore = info.live_restore,
           .security_options = info.security_options,
           .warnings = info.warnings};
  for (auto& [name, number] : version.components) facts.components.push_back({name, number});
}

async::task<void> look_at_engine(async::Executor executor, Facts& facts) {
  if (facts.endpoint.wrong) {
    facts.engine.error = facts.endpoint.wrong;
    co_return;
  }
  auto endpoint = value_or_throw(net::Endpoint::parse(facts.endpoint.text));
  if (endpoint.scheme() == Scheme::ssh) {
    facts.engine.error = Error{
        ErrorKind::invalid, "engine_elsewhere",
        fmt::format("cannot examine '{}' from here: it is another machine", facts.endpoint.text),
        "run 'gantry doctor' there, or 'gantry hosts test' for the way to it"};
    co_return;
  }
  engine::Client client{executor, net::dialer(executor, endpoint), endpoint};
  auto asked = co_await async::attempt(async::with_deadline(
      engine_patience, fmt::format("asking the engine on '{}'", facts.endpoint.text),
      ask_engine(client, facts.engine)));
  if (!asked) facts.engine.error = asked.error();
}

async::task<void> find_tools(Facts& facts, const Environment& environment) {
  auto tools = co_await look_for_tools(environment.path, environment.docker_folder.string());
  facts.docker = std::move(tools.docker);
  facts.compose_v1 = std::move(tools.compose_v1);
  facts.compose_v2 = std::move(tools.compose_v2);
  facts.buildx = std::move(tools.buildx);
}

}  // namespace

async::task<Result<Facts>> gather(async::Executor executor, Question question,
                                  Environment environment) {
  Facts facts;
  facts.at = environment.clock.now();
  auto subject = co_await subject_of(question, environment.path);
  if (!subject) co_return fail(std::move(subject.error()));
  facts.subject = std::move(*subject);
  facts.endpoint = chosen_endpoint(question, environment);
  look_at_access(facts, environment.runtime_folder);
  look_at_machine(facts);
  co_await async::both(look_at_engine(std::move(executor), facts), find_tools(facts, environment));
  look_at_files(facts);
  co_return facts;
}

}  // namespace gantry::doctor
