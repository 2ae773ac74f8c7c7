#include "main/greeting.hpp"

#include <gmock/gmock.h>

namespace gantry::main {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Reach = Listener::Reach;

std::vector<Listener> listening(const std::vector<std::string>& addresses) {
  std::vector<Listener> listeners;
  for (const auto& address : addresses) listeners.push_back(listener_of(address, 5920));
  return listeners;
}

std::string greeting_of(const std::vector<std::string>& addresses, AnonymousExecute anonymous) {
  ServeOptions options;
  options.anonymous_execute = anonymous;
  return greeting(options, listening(addresses), {}, "/data/local.token");
}

TEST(Listener, KnowsHowItIsReachedFromHere) {
  EXPECT_EQ(listener_of("127.0.0.1:0", 7).url, "http://127.0.0.1:7");
  EXPECT_EQ(listener_of("[::1]:0", 7).url, "http://[::1]:7");
  EXPECT_EQ(listener_of("0.0.0.0:0", 7).url, "http://127.0.0.1:7");
  EXPECT_EQ(listener_of("[::]:0", 7).url, "http://[::1]:7");
  EXPECT_EQ(listener_of("192.0.2.1:0", 7).url, "http://192.0.2.1:7");
}

TEST(Listener, KnowsWhoReachesIt) {
  for (const auto* near : {"127.0.0.1:0", "127.8.0.1:0", "[::1]:0", "[0:0:0:0:0:0:0:1]:0"}) {
    EXPECT_EQ(listener_of(near, 7).reach, Reach::loopback) << near;
  }
  for (const auto* far : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    EXPECT_EQ(listener_of(far, 7).reach, Reach::network) << far;
  }
}

TEST(Listener, ThatSpeaksTlsWorriesNobody) {
  auto listener = listener_of("0.0.0.0:0", 7, net::http::Transport::tls);
  EXPECT_EQ(listener.url, "https://127.0.0.1:7");
  EXPECT_THAT(listener_warnings(AnonymousExecute::no, {listener}), IsEmpty());
}

TEST(Greeting, NamesEveryListenerAndPrefersLoopback) {
  auto text = greeting_of({"192.0.2.1:0", "127.0.0.1:0"}, AnonymousExecute::no);
  EXPECT_THAT(text, HasSubstr(" is ready on http://127.0.0.1:5920\n"));
  EXPECT_THAT(text, HasSubstr("and on   http://192.0.2.1:5920\n"));
  EXPECT_THAT(text, HasSubstr("Sign in at http://127.0.0.1:5920\n"));
}

TEST(Greeting, LeavesTheTokenOutOnlyWhereNoneIsNeeded) {
  EXPECT_THAT(greeting_of({"127.0.0.1:0"}, AnonymousExecute::no), HasSubstr("local.token"));
  EXPECT_THAT(greeting_of({"127.0.0.1:0"}, AnonymousExecute::yes), Not(HasSubstr("local.token")));
  EXPECT_THAT(greeting_of({"0.0.0.0:0"}, AnonymousExecute::yes), HasSubstr("local.token"));
}

TEST(Greeting, HasTheLinkForTheOwner) {
  EXPECT_THAT(greeting({}, listening({"127.0.0.1:0"}), Secret{"once"}, "/t"),
              HasSubstr("http://127.0.0.1:5920/setup#once\n"));
}

TEST(ListenerWarnings, AreForEachThatIsNotLoopback) {
  EXPECT_THAT(listener_warnings(AnonymousExecute::yes, listening({"127.0.0.1:0"})), IsEmpty());
  EXPECT_THAT(
      listener_warnings(AnonymousExecute::yes,
                        listening({"127.0.0.1:0", "0.0.0.0:0", "192.0.2.1:0"})),
      ElementsAre(HasSubstr("'0.0.0.0:5920' is plain HTTP"), HasSubstr("'192.0.2.1:5920'")));
}

TEST(ListenerWarnings, SayWhenAnonymousExecuteOpensNothing) {
  EXPECT_THAT(listener_warnings(AnonymousExecute::yes, listening({"0.0.0.0:0"})),
              ElementsAre(HasSubstr("TLS proxy"), HasSubstr("--anonymous-execute opens nothing")));
}

TEST(Listeners, AreToldWithThoseOnLoopbackFirst) {
  EXPECT_THAT(urls_of({listener_of("0.0.0.0:0", 5943, net::http::Transport::tls),
                       listener_of("127.0.0.1:0", 5920)}),
              testing::ElementsAre("http://127.0.0.1:5920", "https://127.0.0.1:5943"));
}

}  // namespace
}  // namespace gantry::main
