// The lines are OpenSSH 9.2's own, as it said them.
#include "net/ssh_log.hpp"

#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

using Stage = SshLog::Stage;
using testing::HasSubstr;

SshLog read(std::vector<std::string> machines, std::string_view lines) {
  SshLog log{std::move(machines)};
  for (auto line : text::split(lines, '\n')) log.line(line);
  return log;
}

constexpr std::string_view connected =
    "debug1: Connecting to edge [10.0.0.7] port 22.\r\n"
    "debug1: Connection established.\r\n"
    "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\n"
    "debug1: Server host key: ssh-ed25519 SHA256:vTfXFAOm+l3fZv8PwNGDzxztKM4lwJg1SN54EysK6I8\n";
constexpr std::string_view let_in =
    "debug1: Host 'edge' is known and matches the ED25519 host key.\n"
    "debug1: SSH2_MSG_SERVICE_ACCEPT received\n"
    "Authenticated to edge ([10.0.0.7]:22) using \"publickey\".\n";
constexpr std::string_view listening =
    "debug1: Local forwarding listening on path /tmp/gantry-ssh-x/s.\n";

std::string all(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto part : parts) text += part;
  return text;
}

TEST(SshLog, FollowsTheWayStepByStep) {
  EXPECT_EQ(read({"edge"}, "debug1: Reading configuration data x").stage(), Stage::resolve);
  EXPECT_EQ(read({"edge"}, "debug1: Connecting to edge [10.0.0.7] port 22.").stage(),
            Stage::connect);
  EXPECT_EQ(read({"edge"}, connected).stage(), Stage::host_key);
  EXPECT_EQ(read({"edge"}, all({connected, let_in})).stage(), Stage::forward);
  auto ready = read({"edge"}, all({connected, let_in, listening}));
  EXPECT_TRUE(ready.reached(Stage::ready));
  EXPECT_EQ(ready.address(), "10.0.0.7 port 22");
  EXPECT_EQ(ready.method(), "publickey");
  EXPECT_EQ(ready.key()->type, "ssh-ed25519");
  EXPECT_EQ(ready.key()->fingerprint, "SHA256:vTfXFAOm+l3fZv8PwNGDzxztKM4lwJg1SN54EysK6I8");
  EXPECT_FALSE(ready.error());
}

TEST(SshLog, GoesFromMachineToMachine) {
  auto log = read({"jump", "edge"}, all({connected, let_in}));
  EXPECT_EQ(log.machine(), 1U);
  EXPECT_EQ(log.stage(), Stage::connect);
  EXPECT_FALSE(log.reached(Stage::resolve) && log.reached(Stage::forward));
  log.line("debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1");
  EXPECT_EQ(log.stage(), Stage::host_key);
}

TEST(SshLog, ReadsTheKeyInAHostsCertificate) {
  auto log = read({"edge"},
                  "debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:abc, "
                  "serial 0 ID \"edge\" CA ssh-ed25519 SHA256:def valid forever\n");
  EXPECT_EQ(log.key()->type, "ssh-ed25519");
  EXPECT_EQ(log.key()->fingerprint, "SHA256:abc");
}

TEST(SshLog, ShowsAnUnknownKey) {
  auto log = read({"edge"}, all({connected,
                                 "No ED25519 host key is known for edge and you have requested "
                                 "strict checking.\r\nHost key verification failed.\r\n"}));
  EXPECT_EQ(log.error()->code, "ssh_host_key_unknown");
  EXPECT_EQ(log.error()->kind, ErrorKind::denied);
  EXPECT_THAT(log.error()->message,
              HasSubstr("SHA256:vTfXFAOm+l3fZv8PwNGDzxztKM4lwJg1SN54EysK6I8"));
}

TEST(SshLog, NamesTheJumpHostWhoseKeyIsUnknown) {
  auto log = read({"ann@jump", "edge"},
                  all({connected,
                       "No ED25519 host key is known for jump and you have requested "
                       "strict checking.\nHost key verification failed.\n"
                       "kex_exchange_identification: Connection closed by remote host\n"
                       "Connection closed by UNKNOWN port 65535\n"}));
  EXPECT_EQ(log.error()->code, "ssh_host_key_unknown");
  EXPECT_EQ(log.machine(), 0U);
  EXPECT_THAT(log.error()->message, HasSubstr("'ann@jump' (jump host 1 of 1)"));
}

struct Said {
  std::string_view line;
  std::string_view code;
};
class SshLogErrors : public testing::TestWithParam<Said> {};

TEST_P(SshLogErrors, AreToldApart) {
  EXPECT_EQ(read({"edge"}, GetParam().line).why_ended({.code = 255}).code, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, SshLogErrors,
    testing::Values(
        Said{"ssh: Could not resolve hostname edge: Name or service not known", "ssh_name_unknown"},
        Said{"ssh: Could not resolve hostname edge: Temporary failure in name resolution",
             "ssh_name_unknown"},
        Said{"ssh: connect to host edge port 22: Connection refused", "ssh_refused"},
        Said{"ssh: connect to host edge port 22: Connection timed out", "ssh_timed_out"},
        Said{"Connection timed out during banner exchange", "ssh_timed_out"},
        Said{"ssh: connect to host edge port 22: No route to host", "ssh_unreachable"},
        Said{"ssh: connect to host edge port 22: Network is unreachable", "ssh_unreachable"},
        Said{"Timeout, server edge not responding.", "ssh_timed_out"},
        Said{"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "ssh_host_key_changed"},
        Said{"@       WARNING: REVOKED HOST KEY DETECTED!               @", "ssh_host_key_changed"},
        Said{"ann@edge: Permission denied (publickey,password).", "ssh_authentication_failed"},
        Said{"Received disconnect from 10.0.0.7 port 22:2: Too many authentication failures",
             "ssh_authentication_failed"},
        Said{"Unable to negotiate with 10.0.0.7 port 22: no matching host key type found. Their "
             "offer: ssh-rsa",
             "ssh_no_agreement"},
        Said{"channel 0: open failed: connect failed: Connection refused", "ssh_refused"},
        Said{"channel 0: open failed: administratively prohibited: open failed",
             "ssh_jump_refused"},
        Said{"setpriv: failed to execute ssh: No such file or directory", "ssh_missing"},
        Said{"No user exists for uid 4711", "ssh_account_missing"},
        Said{"something that nobody has thought of", "ssh_broke"}));

TEST(SshLog, TellsAKeyThatCanNotBeReadFromOneThatIsNotAccepted) {
  auto log = read({"edge"},
                  "Load key \"/room/key\": incorrect passphrase supplied to decrypt "
                  "private key\r\nann@edge: Permission denied (publickey).\r\n");
  EXPECT_EQ(log.error()->code, "ssh_identity_unusable");
  EXPECT_THAT(log.error()->message, HasSubstr("incorrect passphrase"));
}

TEST(SshLog, TellsAKeyThatCanNotBeOpened) {
  auto log = read({"edge"},
                  "debug1: Server accepts key: /room/key ED25519 SHA256:x explicit\n"
                  "ann@edge: Permission denied (publickey).\n");
  EXPECT_EQ(log.error()->code, "ssh_identity_unusable");
  EXPECT_THAT(log.error()->message, HasSubstr("passphrase"));
}

TEST(SshLog, TellsASecondFactorThatIsMissingFromAKeyThatCanNotBeOpened) {
  auto log = read({"edge"},
                  "debug1: Server accepts key: /room/key ED25519 SHA256:x explicit\n"
                  "Authenticated using \"publickey\" with partial success.\n"
                  "ann@edge: Permission denied (keyboard-interactive).\n");
  EXPECT_EQ(log.error()->code, "ssh_authentication_failed");
}

TEST(SshLog, CountsRefusedStreamsOnceTheWayStands) {
  auto log = read({"edge"}, all({connected, let_in, listening,
                                 "channel 2: open failed: connect failed: open failed\n"}));
  EXPECT_EQ(log.refused_streams(), 1U);
  EXPECT_FALSE(log.error());
}

TEST(SshLog, KeepsTheFirstCause) {
  auto log = read({"edge"},
                  "ssh: connect to host edge port 22: Connection refused\n"
                  "Permission denied (publickey).\n");
  EXPECT_EQ(log.error()->code, "ssh_refused");
}

TEST(SshLog, QuotesTheLastWordsOfAnUnknownEnd) {
  auto log = read({"edge"}, "debug1: pledge: network\nsomething\x1b[2J odd\n");
  EXPECT_THAT(log.why_ended({.code = 255}).message, HasSubstr("odd"));
  EXPECT_EQ(log.why_ended({.code = 255}).message.find('\x1b'), std::string::npos);
  EXPECT_THAT(read({"edge"}, "").why_ended({.signal = 9}).message, HasSubstr("signal 9"));
}

TEST(SshLog, IsNotMisledBeyondWordsByABanner) {
  auto log = read({"edge"}, all({connected, "Authenticated to edge using \"publickey\".\n"}));
  EXPECT_EQ(log.stage(), Stage::host_key);  // nobody is let in before the host key is checked
}

TEST(SshLog, KeepsFewLines) {
  SshLog log{{"edge"}};
  for (int i = 0; i < 1'000; ++i) log.line(std::string(10'000, 'x'));
  EXPECT_LE(log.last_lines().size(), 1'000U);
}

}  // namespace
}  // namespace gantry::net
