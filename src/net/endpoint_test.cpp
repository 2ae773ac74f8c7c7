#include "net/endpoint.hpp"

#include <gtest/gtest.h>

namespace gantry::net {
namespace {

TEST(Endpoint, NamesAUnixSocketByItsAbsolutePath) {
  auto endpoint = Endpoint::parse("unix:///run/docker.sock");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->scheme(), Endpoint::Scheme::unix_socket);
  EXPECT_EQ(endpoint->path(), "/run/docker.sock");
  EXPECT_EQ(endpoint->host_header(), "localhost");
  EXPECT_EQ(endpoint->text(), "unix:///run/docker.sock");
}

TEST(Endpoint, NamesATcpServerByHostAndPort) {
  auto endpoint = Endpoint::parse("tcp://edge-3.example:4243");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->scheme(), Endpoint::Scheme::tcp);
  EXPECT_EQ(endpoint->host(), "edge-3.example");
  EXPECT_EQ(endpoint->port(), 4243);
  EXPECT_EQ(endpoint->host_header(), "edge-3.example:4243");
}

TEST(Endpoint, TakesDockersPortWhenNoneIsGiven) {
  EXPECT_EQ(Endpoint::parse("tcp://10.0.0.1")->port(), 2375);
  EXPECT_EQ(Endpoint::parse("tcp://10.0.0.1/")->port(), 2375);
}

TEST(Endpoint, NamesAServerThatSpeaksTls) {
  auto endpoint = Endpoint::parse("tls://edge-3.example");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->scheme(), Endpoint::Scheme::tls);
  EXPECT_EQ(endpoint->port(), 2376);
  EXPECT_EQ(endpoint->text(), "tls://edge-3.example:2376");
}

TEST(Endpoint, TakesIpv6InBrackets) {
  auto endpoint = Endpoint::parse("tcp://[::1]:2376");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->host(), "::1");
  EXPECT_EQ(endpoint->host_header(), "[::1]:2376");
}

class RefusedEndpoint : public testing::TestWithParam<std::string> {};

TEST_P(RefusedEndpoint, IsRefusedWithTheFormsThatWork) {
  auto endpoint = Endpoint::parse(GetParam());
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, "bad_endpoint");
  EXPECT_NE(endpoint.error().remedy.find("unix:///"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Forms, RefusedEndpoint,
                         testing::Values("", "docker.sock", "unix://docker.sock", "unix://",
                                         "unix:///" + std::string(120, 'x'), "unix:///a\nb",
                                         "unix:///a\x1b[2J", "tcp://", "tcp://:1", "tcp://a:0",
                                         "tcp://a:65536", "tcp://a:1x", "tcp://user@host:1",
                                         "tcp://a b", "tcp://[zz]:1", "tcp://[::1", "http://a:1",
                                         "tcp://a/b", "fd://", "tcp://-oProxy=$(id):1"));

}  // namespace
}  // namespace gantry::net
