#include "fleet/creation.hpp"

#include "fleet/actions.hpp"
#include "fleet/volume_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::NewContainer;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

NewContainer plain() {
  NewContainer wanted;
  wanted.image = "nginx:1.27";
  return wanted;
}

NewContainer bound(std::string source) {
  auto wanted = plain();
  wanted.binds = {{.source = std::move(source), .target = "/x", .read_only = true}};
  return wanted;
}

std::string code_of(const Result<>& result) { return result ? "ok" : result.error().code; }

TEST(Creation, AnOrdinaryContainerIsFreeOfDangers) {
  auto wanted = plain();
  wanted.ports = {{.container_port = 80, .host_port = 80}};
  wanted.volumes = {{.volume = "data", .target = "/data", .read_only = false}};
  wanted.tmpfs = {{"/tmp", "rw"}};
  wanted.network = "front";
  wanted.cap_drop = {"ALL"};
  wanted.cap_add = {"CAP_NET_BIND_SERVICE", "chown"};
  EXPECT_THAT(dangers_of(wanted), IsEmpty());
  EXPECT_EQ(code_of(judge(wanted, access::Role::operator_, {})), "ok");
}

struct DangerousCase {
  Danger danger;
  void (*change)(NewContainer&);
};

class EachDanger : public testing::TestWithParam<DangerousCase> {};

TEST_P(EachDanger, TakesAnAdminWhoNamesIt) {
  auto wanted = plain();
  GetParam().change(wanted);
  auto found = dangers_of(wanted);
  EXPECT_THAT(found, Contains(GetParam().danger));
  EXPECT_EQ(code_of(judge(wanted, access::Role::operator_, {})), "danger_needs_admin");
  EXPECT_EQ(code_of(judge(wanted, access::Role::operator_, found)), "danger_needs_admin");
  EXPECT_EQ(code_of(judge(wanted, access::Role::admin, {})), "danger_not_named");
  EXPECT_EQ(code_of(judge(wanted, access::Role::admin, found)), "ok");
}

INSTANTIATE_TEST_SUITE_P(
    All, EachDanger,
    testing::Values(
        DangerousCase{Danger::privileged, [](NewContainer& one) { one.privileged = true; }},
        DangerousCase{Danger::host_network, [](NewContainer& one) { one.network = "host"; }},
        DangerousCase{Danger::host_pid, [](NewContainer& one) { one.host_pid = true; }},
        DangerousCase{Danger::host_ipc, [](NewContainer& one) { one.host_ipc = true; }},
        DangerousCase{Danger::bind, [](NewContainer& one) { one = bound("/srv/site"); }},
        DangerousCase{Danger::host_system, [](NewContainer& one) { one = bound("/etc/cron.d"); }},
        DangerousCase{Danger::host_system, [](NewContainer& one) { one = bound("/var"); }},
        DangerousCase{Danger::host_system, [](NewContainer& one) { one = bound("/"); }},
        DangerousCase{Danger::docker_socket,
                      [](NewContainer& one) { one = bound("/var/run/docker.sock"); }},
        DangerousCase{Danger::docker_socket, [](NewContainer& one) { one = bound("/run"); }},
        DangerousCase{Danger::docker_socket,
                      [](NewContainer& one) { one = bound("/srv/engine.sock"); }},
        DangerousCase{Danger::capabilities,
                      [](NewContainer& one) { one.cap_add = {"cap_sys_admin"}; }},
        DangerousCase{Danger::capabilities, [](NewContainer& one) { one.cap_add = {"ALL"}; }},
        DangerousCase{Danger::devices,
                      [](NewContainer& one) {
                        one.devices = {{.host_path = "/dev/sda", .container_path = "/dev/sda"}};
                      }},
        DangerousCase{Danger::unconfined,
                      [](NewContainer& one) { one.seccomp_unconfined = true; }}));

TEST(Creation, AnOrdinaryFolderIsNoSystemFolder) {
  EXPECT_THAT(dangers_of(bound("/srv/site")), ElementsAre(Danger::bind));
  EXPECT_THAT(dangers_of(bound("/etcetera")), ElementsAre(Danger::bind));
}

std::optional<std::string> source(std::map<std::string, std::string> options,
                                  std::string driver = "local") {
  return source_on_host({.name = "v", .driver = std::move(driver), .options = std::move(options)});
}

TEST(Creation, AVolumeThatIsAPlaceOfTheHostIsABind) {
  EXPECT_EQ(source({{"type", "none"}, {"o", "bind"}, {"device", "/srv/site"}}), "/srv/site");
  EXPECT_EQ(source({{"o", "rw, RBind"}, {"device", "/srv/site/"}}), "/srv/site");
  EXPECT_EQ(source({{"type", "nfs"}, {"o", "bind"}, {"device", "/etc"}}), "/etc");
  EXPECT_EQ(source({{"type", "ext4"}, {"device", "/dev/sda1"}}), "/dev/sda1");
  EXPECT_EQ(source({{"type", "overlay"}, {"o", "lowerdir=/etc"}, {"device", "overlay"}}), "/");
  EXPECT_EQ(source({{"o", "bind"}, {"device", "/srv/../etc"}}), "/");
  EXPECT_EQ(source({{"o", "bind"}}), "/");
  auto wanted = plain();
  EXPECT_THAT(dangers_of(wanted, {"/srv/site"}), ElementsAre(Danger::bind));
  EXPECT_THAT(dangers_of(wanted, {"/dev/sda1"}), ElementsAre(Danger::bind, Danger::host_system));
  EXPECT_EQ(code_of(judge(wanted, access::Role::operator_, {}, {"/srv/site"})),
            "danger_needs_admin");
  EXPECT_EQ(code_of(judge(wanted, access::Role::admin, {}, {"/srv/site"})), "danger_not_named");
  EXPECT_EQ(code_of(judge(wanted, access::Role::admin, {Danger::bind}, {"/srv/site"})), "ok");
}

TEST(Creation, AVolumeThatIsElsewhereIsNoBind) {
  EXPECT_FALSE(source({}));
  EXPECT_FALSE(source({{"o", "size=1m"}}));
  EXPECT_FALSE(source({{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m"}}));
  EXPECT_FALSE(source({{"type", "nfs"}, {"device", ":/x"}, {"o", "addr=nas"}}));
  EXPECT_FALSE(source({{"device", "/etc"}}, "nas-plugin"));
}

TEST(Creation, ADangerThatIsNotThereIsNotNamed) {
  EXPECT_EQ(code_of(judge(plain(), access::Role::admin, {Danger::privileged})), "danger_absent");
}

struct RefusedCase {
  const char* name;
  void (*change)(NewContainer&);
};

class EachRefusal : public testing::TestWithParam<RefusedCase> {};

TEST_P(EachRefusal, HoldsForAdminsToo) {
  auto wanted = plain();
  GetParam().change(wanted);
  auto judged = judge(wanted, access::Role::admin, dangers_of(wanted));
  EXPECT_THAT(code_of(judged), testing::AnyOf("invalid_container", "invalid_image"));
}

INSTANTIATE_TEST_SUITE_P(
    All, EachRefusal,
    testing::Values(
        RefusedCase{"OurLabels", [](NewContainer& one) { one.labels = {{"io.gantry.kind", "x"}}; }},
        RefusedCase{"OurLabelsInCapitals",
                    [](NewContainer& one) { one.labels = {{"IO.Gantry.kind", "x"}}; }},
        RefusedCase{"NoImage", [](NewContainer& one) { one.image = "--privileged"; }},
        RefusedCase{"SandboxVolume",
                    [](NewContainer& one) {
                      one.volumes = {{.volume = "gantry-init-0123", .target = "/x"}};
                    }},
        RefusedCase{"PathAsVolume",
                    [](NewContainer& one) { one.volumes = {{.volume = "/etc", .target = "/x"}}; }},
        RefusedCase{"BindWithDetour", [](NewContainer& one) { one = bound("/srv/../etc"); }},
        RefusedCase{"BindWithDoubleSlash", [](NewContainer& one) { one = bound("//etc"); }},
        RefusedCase{"RelativeBind", [](NewContainer& one) { one = bound("srv"); }},
        RefusedCase{"OtherContainersNetwork",
                    [](NewContainer& one) { one.network = "container:web"; }},
        RefusedCase{"SandboxNetwork", [](NewContainer& one) { one.network = "gantry-outbound"; }},
        RefusedCase{"TwiceTheSameTarget",
                    [](NewContainer& one) {
                      one.tmpfs = {{"/data", "rw"}};
                      one.volumes = {{.volume = "data", .target = "/data"}};
                    }},
        RefusedCase{"RootAsTarget", [](NewContainer& one) { one.tmpfs = {{"/", "rw"}}; }},
        RefusedCase{"WorkingFolderOfADescriptor",
                    [](NewContainer& one) { one.working_dir = "/proc/self/../fd/7"; }},
        RefusedCase{"NamelessVariable", [](NewContainer& one) { one.env = {"=x"}; }}),
    [](const auto& info) { return info.param.name; });

TEST(Creation, EachDangerHasAWordAndAnExplanation) {
  for (const auto& known : all_dangers()) {
    EXPECT_EQ(parse_danger(known.word), known.danger);
    EXPECT_EQ(word(known.danger), known.word);
    EXPECT_FALSE(known.explanation.empty());
  }
  EXPECT_FALSE(parse_danger("none"));
}

TEST(ContainerActions, EachTakesAnOperator) {
  EXPECT_EQ(container_actions().size(), 9U);
  for (const auto& action : container_actions()) {
    EXPECT_EQ(find_action(action.word), &action);
    EXPECT_EQ(action.audited, "container." + std::string{action.word});
    EXPECT_EQ(action.needed, access::Role::operator_);
  }
  EXPECT_EQ(find_action("exec"), nullptr);
}

TEST(ContainerActions, ASignalIsANameOrANumber) {
  EXPECT_TRUE(valid_signal("SIGTERM"));
  EXPECT_TRUE(valid_signal("HUP"));
  EXPECT_TRUE(valid_signal("RTMIN+3"));
  EXPECT_TRUE(valid_signal("15"));
  EXPECT_FALSE(valid_signal("0"));
  EXPECT_FALSE(valid_signal("65"));
  EXPECT_FALSE(valid_signal("-1"));
  EXPECT_FALSE(valid_signal("KILL&all=1"));
  EXPECT_FALSE(valid_signal(""));
}

}  // namespace
}  // namespace gantry::fleet
