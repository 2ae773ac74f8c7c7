// What a program with network `outbound` reaches on a real engine, and what it does not although a
// container beside it does.
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"
#include "engine/networks.hpp"
#include "integration/outside.hpp"
#include "integration/real_engine.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/labels.hpp"

#include <cstdlib>
#include <map>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* bridge_name = "gantry-outbound";

/// Tries `way/address/port` of each argument and tells what came of it. All but `tcp` and `udp` say
/// themselves where to send by: they bind to the interface or to its address (`device`, `bound`,
/// `spread`), name it with the datagram (`pktinfo`, `source`, `unicast`, `link`), or name a machine
/// outside as the first to pass (`loose`).
constexpr const char* trier = R"(
import errno, socket, struct, sys
def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.connect(('1.1.1.1', 53))
        return other.getsockname()[0]
def interface(index, source='0.0.0.0', mapped=False):
    if mapped:
        return [(socket.IPPROTO_IPV6, 50, struct.pack('=10sHII', bytes(10), 0xffff, 0, index))]
    said = struct.pack('=I4s4s', index, socket.inet_aton(source), bytes(4))
    return [(socket.IPPROTO_IP, 8, said)]
def attempt(way, address, port):
    eth = socket.if_nametoindex('eth0')
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    mapped = family == socket.AF_INET6
    stream = way in ('tcp', 'device')
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        place = socket.getaddrinfo(address, int(port), family)[0][4]
        said, flags = [], 0
        if way == 'spread':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.bind((own_address(), 0))
        if way in ('device', 'bound', 'link'):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'eth0')
        if way == 'unicast':
            s.setsockopt(socket.IPPROTO_IP, 50, struct.pack('!I', eth))
        if way == 'link':
            flags = socket.MSG_DONTROUTE
        if way == 'pktinfo':
            said = interface(eth, mapped=mapped)
        if way == 'source':
            said = interface(eth, own_address())
        if way == 'loose':
            first = socket.inet_aton('203.0.113.10')
            s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b'\x01\x83\x07\x04' + first)
        if stream:
            s.connect(place)
        else:
            s.sendmsg([b'x'], said, flags, place)
    return 'reached'
for target in sys.argv[1:]:
    try:
        print(target, attempt(*target.split('/')))
    except socket.timeout:
        print(target, 'silent')
    except OSError as error:
        print(target, errno.errorcode.get(error.errno, error))
)";

/// Tells its address, and listens at port 8000 for a while.
constexpr const char* listener = R"(
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.connect(('1.1.1.1', 53))
    address = s.getsockname()[0]
server = socket.create_server(('0.0.0.0', 8000))
print(address, flush=True)
time.sleep(9)
)";

class OutboundNetwork : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (auto missing = Outside::missing(); !missing.empty()) {
      if (std::getenv("CI") != nullptr) FAIL() << missing;
      GTEST_SKIP() << missing;
    }
    outside_ = std::make_unique<Outside>();
    executor_ = std::make_unique<DockerExecutor>(
        loop_.executor(), engine(),
        DockerExecutor::Settings{.owner = owner_, .outbound = {.dns = {Outside::address}}});
  }
  void TearDown() override {
    if (executor_) {
      run(executor_->settled());
      EXPECT_EQ(containers_left(), 0U);
      run(executor_->close());
    }
    RealEngine::TearDown();
  }

  std::size_t containers_left() {
    auto listed = run(engine::list_containers(engine(), engine::ListScope::all,
                                              {fmt::format("{}={}", labels::owner, owner_)}));
    return listed.value().size();
  }
  engine::Network network(std::string_view name) {
    for (auto& one : must(engine::list_networks(engine()))) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "there is no network " << name;
    return {};
  }
  /// An engine that has just made its own bridge does not name the gateway: the first address.
  std::string gateway(std::string_view name) {
    auto subnet = network(name).subnets.at(0);
    if (!subnet.gateway.empty()) return subnet.gateway;
    in_addr address{};
    EXPECT_EQ(
        inet_pton(AF_INET, subnet.prefix.substr(0, subnet.prefix.find('/')).c_str(), &address), 1);
    address.s_addr |= htonl(1);
    return inet_ntoa(address);
  }

  static Program python(std::string source, std::vector<std::string> arguments = {}) {
    Program program{.language = "python",
                    .image = "gantry/python:latest",
                    .command = {"python3", "-u", "main.py"},
                    .files = {{"main.py", std::move(source), {}}},
                    .env = {},
                    .input = {}};
    program.command.insert(program.command.end(), arguments.begin(), arguments.end());
    return program;
  }
  static Observer collecting(std::string& out) {
    return {.progress = [](std::string) {},
            .started = [](Stage) {},
            .output = [&out](OutputStream, std::string_view bytes) { out.append(bytes); }};
  }
  async::task<void> execute_into(Outcome& outcome, std::string& out, Program program,
                                 Network network) {
    Policy policy;
    policy.network = network;
    outcome = co_await executor_->execute(
        {ExecutionId{random::word(26)}, std::move(program), policy}, collecting(out));
  }
  Outcome execute(Program program, Network network = Network::outbound) {
    Outcome outcome;
    out_.clear();
    run(execute_into(outcome, out_, std::move(program), network));
    return outcome;
  }
  /// What came of each target, by a program's output.
  static std::map<std::string, std::string> results(std::string_view output) {
    std::map<std::string, std::string> results;
    for (auto line : text::split(output, '\n')) {
      auto space = line.find(' ');
      if (space != std::string_view::npos)
        results.emplace(line.substr(0, space), line.substr(space + 1));
    }
    return results;
  }
  /// The same in a container on the same bridge, without anything of ours.
  std::map<std::string, std::string> control(const std::vector<std::string>& targets) {
    engine::ContainerSpec spec;
    spec.image = "gantry/python:latest";
    spec.entrypoint = std::vector<std::string>{"python3", "-c", trier};
    spec.cmd = targets;
    spec.labels = labels();
    spec.network_mode = network(bridge_name).id;
    auto id = create(spec);
    auto stream = must(engine::attach_container(engine(), id, engine::Framing::multiplexed));
    must(engine::start_container(engine(), id));
    std::string out;
    run(read_all(stream, out));
    return results(out);
  }
  static async::task<void> read_all(engine::AttachedStream& stream, std::string& out) {
    while (auto frame = co_await stream.read()) out += frame->bytes;
  }

  /// While one program listens, another tries to reach it, and so does this machine.
  struct Neighbours {
    std::map<std::string, std::string> from_sandbox;  ///< What came of each way.
    bool from_host = false;
  };
  async::task<void> meet(Neighbours& met, const std::string& address, Network network) {
    while (!address.contains('\n')) co_await async::pause(Milliseconds{20});
    auto first = address.substr(0, address.find('\n'));
    met.from_host = host_reaches(first, 8000);
    Outcome outcome;
    std::vector<std::string> targets;
    for (const auto* way : {"tcp", "device", "bound", "pktinfo"}) {
      targets.push_back(fmt::format("{}/{}/8000", way, first));
    }
    std::string out;
    co_await execute_into(outcome, out, python(trier, targets), network);
    for (auto& [target, result] : results(out)) {
      met.from_sandbox.emplace(target.substr(0, target.find('/')), result);
    }
  }
  Neighbours neighbours(Network network) {
    Neighbours met;
    Outcome outcome;
    std::string address;
    // The one that listens is cancelled once the other has tried; nobody waits when it fails.
    run(async::with_companion(meet_in_time(met, outcome, address, network),
                              execute_into(outcome, address, python(listener), network)));
    EXPECT_EQ(outcome.message, "");
    return met;
  }
  async::task<void> meet_in_time(Neighbours& met, const Outcome& outcome,
                                 const std::string& address, Network network) {
    co_await async::race(meet(met, address, network), failed(outcome));
  }
  static async::task<void> failed(const Outcome& outcome) {
    while (outcome.message.empty()) co_await async::pause(Milliseconds{20});
  }

  /// As the next server of this owner does, while the program of a server that crashed still runs.
  async::task<void> sweep_when_begun(int& swept, const Outcome& outcome, const std::string& out) {
    while (out.empty() && outcome.message.empty()) co_await async::pause(Milliseconds{20});
    if (out.empty()) throw std::runtime_error{outcome.message};
    DockerExecutor next{loop_.executor(), engine(), {.owner = owner_}};
    swept = value_or_throw(co_await next.sweep());
    co_await next.close();
  }

  std::string owner_ = "test-" + random::word(12);
  std::unique_ptr<Outside> outside_;
  std::unique_ptr<DockerExecutor> executor_;
  std::string out_;
};

TEST_F(OutboundNetwork, LeadsOutsideByNameAndByAddress) {
  auto outcome =
      execute(python("import urllib.request as r\n"
                     "print(r.urlopen('http://anything.example/', timeout=5).read().decode())\n"
                     "print(r.urlopen('http://203.0.113.10/', timeout=5).read().decode())"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << out_;
  EXPECT_EQ(out_, "hello from outside\nhello from outside\n");
  EXPECT_FALSE(outcome.warm);
}

TEST_F(OutboundNetwork, LeadsToNothingOfTheHostAlthoughTheBridgeDoes) {
  ASSERT_EQ(execute(python("print(1)")).verdict, Verdict::ok);
  Listener host;
  std::vector<std::string> targets{fmt::format("tcp/{}/{}", gateway(bridge_name), host.port()),
                                   fmt::format("tcp/{}/{}", Outside::host_address, host.port()),
                                   fmt::format("tcp/{}/{}", gateway("bridge"), host.port()),
                                   "spread/255.255.255.255/67", "spread/224.0.0.1/5353"};
  auto open = control(targets);
  execute(python(trier, targets));
  auto closed = results(out_);
  for (const auto& target : targets) {
    EXPECT_EQ(open[target], "reached") << target;
    EXPECT_EQ(closed[target], target.starts_with("tcp") ? "EHOSTUNREACH" : "EPERM") << target;
  }
}

// Who names the interface is not asked for a route: what routes make unreachable is then on the
// link, and the host answers there for all of its addresses.
TEST_F(OutboundNetwork, CanNotBeGoneRoundByNamingTheInterface) {
  ASSERT_EQ(execute(python("print(1)")).verdict, Verdict::ok);
  Listener host;
  std::vector<std::string> targets;
  for (const auto& address :
       {gateway(bridge_name), gateway("bridge"), std::string{Outside::host_address}}) {
    for (const auto* way : {"device", "bound", "pktinfo", "source", "unicast", "loose"}) {
      targets.push_back(fmt::format("{}/{}/{}", way, address, host.port()));
    }
    for (const auto* way : {"bound", "pktinfo"}) {
      targets.push_back(fmt::format("{}/::ffff:{}/{}", way, address, host.port()));
    }
  }
  targets.push_back(fmt::format("link/{}/{}", gateway(bridge_name), host.port()));
  auto open = control(targets);
  ASSERT_EQ(execute(python(trier, targets)).verdict, Verdict::ok) << out_;
  auto closed = results(out_);
  for (const auto& target : targets) {
    EXPECT_EQ(open[target], "reached") << target;
    EXPECT_EQ(closed[target], target.starts_with("device") ? "silent" : "EPERM") << target;
  }
}

TEST_F(OutboundNetwork, LeadsOutsideWhenTheInterfaceIsNamed) {
  std::vector<std::string> targets;
  for (const auto* way : {"device", "bound", "pktinfo", "source", "unicast"}) {
    targets.push_back(fmt::format("{}/{}/80", way, Outside::address));
  }
  auto outcome = execute(python(trier, targets));
  ASSERT_EQ(outcome.verdict, Verdict::ok) << outcome.message << out_;
  EXPECT_THAT(results(out_), AllOf(SizeIs(targets.size()), Each(Pair(_, "reached"))));
}

TEST_F(OutboundNetwork, LeadsToNoPrivateAddressAndNoMetadata) {
  std::vector<std::string> targets{"tcp/10.0.0.1/80",        "tcp/172.16.0.1/80",
                                   "tcp/192.168.0.1/80",     "tcp/169.254.169.254/80",
                                   "udp/169.254.169.254/53", "tcp/100.100.100.200/80",
                                   "tcp/168.63.129.16/80",   "tcp/198.18.0.1/80"};
  ASSERT_EQ(execute(python(trier, targets)).verdict, Verdict::ok);
  auto closed = results(out_);
  for (const auto& target : targets) EXPECT_EQ(closed[target], "EHOSTUNREACH") << target;
}

TEST_F(OutboundNetwork, HasNoIpv6) {
  std::vector<std::string> targets{"tcp/fd00:ec2::254/80", "tcp/fe80::1%eth0/80",
                                   "udp/ff02::1%eth0/53", "tcp/2001:4860:4860::8888/53"};
  ASSERT_EQ(execute(python(trier, targets)).verdict, Verdict::ok);
  auto closed = results(out_);
  for (const auto& target : targets) {
    EXPECT_TRUE(closed[target] == "EADDRNOTAVAIL" || closed[target] == "ENETUNREACH" ||
                closed[target] == "EHOSTUNREACH")
        << target << ' ' << closed[target];
  }
}

TEST_F(OutboundNetwork, LeadsToNoOtherSandboxAndNobodyIn) {
  auto open = neighbours(Network::full);
  EXPECT_THAT(open.from_sandbox, AllOf(SizeIs(4), Each(Pair(_, "reached"))));
  EXPECT_TRUE(open.from_host);
  auto closed = neighbours(Network::outbound);
  EXPECT_THAT(closed.from_sandbox,
              UnorderedElementsAre(Pair("tcp", "EHOSTUNREACH"), Pair("device", "silent"),
                                   Pair("bound", "EPERM"), Pair("pktinfo", "EPERM")));
  EXPECT_FALSE(closed.from_host);
}

TEST_F(OutboundNetwork, CanNotBeOpenedFromInside) {
  auto outcome = execute(python(
      "import socket\n"
      "for family, kind in ((16, 3), (17, 3), (2, 3)):\n"  // netlink, packet, raw
      "    try: socket.socket(family, kind); print('opened', family)\n"
      "    except OSError as e: print('refused')\n"
      "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  auto none = std::string(16, '0');
  EXPECT_EQ(out_,
            fmt::format("refused\nrefused\nrefused\n['{0}', '{0}', '{0}', '{0}', '{0}']\n", none));
}

TEST_F(OutboundNetwork, OfEachProgramIsItsOwnAndLeavesNothing) {
  constexpr const char* own =
      "import socket\ns = socket.socket(2, 2)\ns.connect(('1.1.1.1', 53))\n"
      "print(open('/proc/self/net/route').read().count('eth0'))";
  ASSERT_EQ(execute(python(own)).verdict, Verdict::ok);
  EXPECT_EQ(out_, "1\n");
  run(executor_->settled());
  EXPECT_EQ(containers_left(), 0U);
}

TEST_F(OutboundNetwork, OfACrashedServerIsSwept) {
  Outcome outcome;
  int swept = 0;
  run(executor_->settled());
  run(async::both(execute_into(outcome, out_, python("print(1)\nimport time\ntime.sleep(60)"),
                               Network::outbound),
                  sweep_when_begun(swept, outcome, out_)));
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  // The sandbox and its holder; the one that crashed lives on here, and may be faster with one.
  EXPECT_GE(swept, 1);
  run(executor_->settled());
  EXPECT_EQ(containers_left(), 0U);
}

}  // namespace
}  // namespace gantry::sandbox
