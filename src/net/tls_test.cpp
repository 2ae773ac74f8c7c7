#include "net/tls.hpp"

#include "async/attempt.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "net/local_pair.hpp"
#include "net/memory_stream_fake.hpp"
#include "net/tls_certificates_fake.hpp"

#include <array>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

namespace gantry::net {
namespace {

using testing::HasSubstr;

/// The other end in OpenSSL's plain way: blocking, on a thread, with manners that ours has not.
struct Manners {
  enum class Role { client, server } role = Role::server;
  std::optional<TlsIdentity> identity;
  int version_max = TLS1_3_VERSION;
  std::string protocol{};  ///< What it offers instead of HTTP/1.1.
  enum class Wants { nothing, certificate } wants = Wants::nothing;
  int key_updates = 0;  ///< So often it wants new keys, once both have agreed.
  std::string says{};   ///< Then.
  enum class Ending { goodbye, cut_off } ending = Ending::goodbye;
};

void use(SSL_CTX* context, const TlsIdentity& identity) {
  auto key = std::string{identity.key.reveal()};
  auto* certificates = BIO_new_mem_buf(identity.certificates.data(), -1);
  auto* keys = BIO_new_mem_buf(key.data(), -1);
  auto* certificate = PEM_read_bio_X509(certificates, nullptr, nullptr, nullptr);
  auto* private_key = PEM_read_bio_PrivateKey(keys, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, private_key);
  X509_free(certificate);
  EVP_PKEY_free(private_key);
  BIO_free(certificates);
  BIO_free(keys);
}

void talk(SSL* connection, const Manners& manners) {
  if (SSL_do_handshake(connection) != 1) return;
  for (int i = 0; i < manners.key_updates; ++i) {
    SSL_key_update(connection, SSL_KEY_UPDATE_REQUESTED);
    if (SSL_do_handshake(connection) != 1) return;
  }
  if (!manners.says.empty()) {
    SSL_write(connection, manners.says.data(), static_cast<int>(manners.says.size()));
  }
  if (manners.ending == Manners::Ending::cut_off) return;
  SSL_shutdown(connection);
  // A socket that is closed with bytes unread would take the goodbye with it.
  std::array<char, 100> rest{};
  while (SSL_read(connection, rest.data(), rest.size()) > 0) continue;
}

void behave(async::Descriptor end, const Manners& manners) {
  auto* context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, 0);
  SSL_CTX_set_max_proto_version(context, manners.version_max);
  if (manners.identity) use(context, *manners.identity);
  if (manners.wants == Manners::Wants::certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
  }
  auto* connection = SSL_new(context);
  if (!manners.protocol.empty()) {
    auto offer = static_cast<char>(manners.protocol.size()) + manners.protocol;
    SSL_set_alpn_protos(connection, reinterpret_cast<const unsigned char*>(offer.data()),
                        static_cast<unsigned>(offer.size()));
  }
  SSL_set_fd(connection, end.get());
  manners.role == Manners::Role::server ? SSL_set_accept_state(connection)
                                        : SSL_set_connect_state(connection);
  talk(connection, manners);
  SSL_free(connection);
  SSL_CTX_free(context);
}

/// Reads one byte at a time, and hands over one at a time.
class Dripping final : public Stream {
 public:
  explicit Dripping(std::unique_ptr<Stream> below) : below_{std::move(below)} {}
  async::task<std::size_t> read_some(std::span<char> into) override {
    return below_->read_some(into.first(1));
  }
  async::task<void> write(std::string_view bytes) override {
    for (; !bytes.empty(); bytes.remove_prefix(1)) co_await below_->write(bytes.substr(0, 1));
  }
  void write_last(std::string bytes) override { below_->write_last(std::move(bytes)); }
  void finish_writing() override { below_->finish_writing(); }
  void close() override { below_->close(); }

 private:
  std::unique_ptr<Stream> below_;
};

class Tls : public testing::Test {
 protected:
  /// Our client against a server with these manners; "" or the error's code.
  std::string connect(Manners manners, std::string name = "localhost") {
    return connect(std::move(manners), authority_.client(), std::move(name));
  }
  std::string connect(Manners manners, TlsClient client, std::string name = "localhost") {
    auto pair = stream_pair(loop_.executor()).value();
    std::jthread other{behave, std::move(pair.far), std::move(manners)};
    auto read = loop_.run(async::attempt(
        read_all(tls_connect(std::move(pair.near), std::move(client), std::move(name)))));
    error_ = read ? Error{} : read.error();
    said_ = read.value_or("");
    return error_.code;
  }
  std::string accept(Manners manners) {
    manners.role = Manners::Role::client;
    auto pair = stream_pair(loop_.executor()).value();
    std::jthread other{behave, std::move(pair.far), std::move(manners)};
    auto read =
        loop_.run(async::attempt(read_all(tls_accept(std::move(pair.near), authority_.server()))));
    error_ = read ? Error{} : read.error();
    return error_.code;
  }
  static async::task<std::string> read_all(async::task<std::unique_ptr<Stream>> connecting) {
    auto stream = co_await std::move(connecting);
    std::string all;
    char piece[100];
    while (auto count = co_await stream->read_some(piece)) all.append(piece, count);
    co_return all;
  }
  /// A server with a certificate of our authority.
  Manners server_of(const CertificateWish& wish = {}) const {
    return {.identity = authority_.issue(wish), .says = "hello"};
  }

  async::TestLoop loop_;
  TestAuthority authority_;
  Error error_;
  std::string said_;
};

TEST_F(Tls, ReadsWhatTheOtherSideSaysUntilItsGoodbye) {
  EXPECT_EQ(connect(server_of()), "");
  EXPECT_EQ(said_, "hello");
}

TEST_F(Tls, SpeaksVersion12Too) {
  auto manners = server_of();
  manners.version_max = TLS1_2_VERSION;
  EXPECT_EQ(connect(std::move(manners)), "");
  EXPECT_EQ(said_, "hello");
}

TEST_F(Tls, TakesACertificateForAnAddressAndForAWildcard) {
  EXPECT_EQ(connect(server_of(), "127.0.0.1"), "");
  auto both = server_of({.alternatives = "DNS:*.example.org,IP:::1"});
  EXPECT_EQ(connect(both, "hooks.example.org"), "");
  EXPECT_EQ(connect(both, "::1"), "");
  EXPECT_EQ(connect(both, "HOOKS.Example.org."), "");
}

TEST_F(Tls, RefusesACertificateForAnotherNameAndSaysForWhomItIs) {
  EXPECT_EQ(connect(server_of(), "evil.example"), "tls_wrong_name");
  EXPECT_EQ(error_.message,
            "cannot speak TLS with 'evil.example': its certificate is for 'localhost', "
            "'127.0.0.1'");
  EXPECT_EQ(connect(server_of(), "127.0.0.2"), "tls_wrong_name");
}

TEST_F(Tls, TakesAWildcardForOneWholeLabelOnly) {
  EXPECT_EQ(connect(server_of({.alternatives = "DNS:*.example.org"}), "example.org"),
            "tls_wrong_name");
  EXPECT_EQ(connect(server_of({.alternatives = "DNS:*.example.org"}), "a.b.example.org"),
            "tls_wrong_name");
  EXPECT_EQ(connect(server_of({.alternatives = "DNS:a*.example.org"}), "ab.example.org"),
            "tls_wrong_name");
}

TEST_F(Tls, DoesNotTakeTheCommonNameForAName) {
  auto unnamed = server_of({.alternatives = "", .common_name = "localhost"});
  EXPECT_EQ(connect(std::move(unnamed)), "tls_wrong_name");
  EXPECT_THAT(error_.message, HasSubstr("for nobody by name"));
}

TEST_F(Tls, RefusesACertificateThatHasExpired) {
  EXPECT_EQ(connect(server_of({.begins = Seconds{-20}, .ends = Seconds{-10}})), "tls_expired");
  EXPECT_THAT(error_.message, HasSubstr("its certificate has expired"));
  EXPECT_THAT(error_.remedy, HasSubstr("renew"));
}

TEST_F(Tls, RefusesACertificateThatIsNotValidYet) {
  EXPECT_EQ(connect(server_of({.begins = Seconds{600}})), "tls_not_yet_valid");
  EXPECT_THAT(error_.remedy, HasSubstr("clock"));
}

TEST_F(Tls, RefusesAnAuthorityThatItDoesNotKnow) {
  EXPECT_EQ(connect({.identity = TestAuthority{"another"}.issue()}), "tls_unknown_authority");
  EXPECT_EQ(connect({.identity = TestAuthority{}.issue()}), "tls_unknown_authority");
  EXPECT_THAT(error_.message, HasSubstr("nobody whom this side trusts"));
}

TEST_F(Tls, RefusesACertificateThatSignedItself) {
  EXPECT_EQ(connect({.identity = self_signed()}), "tls_unknown_authority");
  EXPECT_THAT(error_.message, HasSubstr("itself"));
}

TEST_F(Tls, DoesNotTrustATestsAuthorityByTheSystemsStore) {
  EXPECT_EQ(connect(server_of(), TlsClient::make({}).value()), "tls_unknown_authority");
}

TEST_F(Tls, TrustsExactlyOneCertificateWhereItIsNamed) {
  auto identity = self_signed();
  TlsClientSettings exactly{
      .system = SystemAuthorities::ignored, .authorities = identity.certificates, .identity = {}};
  EXPECT_EQ(connect({.identity = identity}, TlsClient::make(exactly).value()), "");
  EXPECT_EQ(connect(server_of(), TlsClient::make(exactly).value()), "tls_unknown_authority");
}

TEST_F(Tls, SaysThatAClientCertificateIsWanted) {
  auto manners = server_of();
  manners.wants = Manners::Wants::certificate;
  EXPECT_EQ(connect(manners), "tls_certificate_required");
  manners.version_max = TLS1_2_VERSION;
  EXPECT_EQ(connect(manners), "tls_no_agreement");
  EXPECT_THAT(error_.message, HasSubstr("certificate from this side"));
}

TEST_F(Tls, ShowsItsOwnCertificateWhereOneIsWanted) {
  auto manners = server_of();
  manners.wants = Manners::Wants::certificate;
  TlsClientSettings settings{.system = SystemAuthorities::ignored,
                             .authorities = authority_.certificate(),
                             .identity = authority_.issue()};
  EXPECT_EQ(connect(std::move(manners), TlsClient::make(settings).value()), "");
  EXPECT_EQ(said_, "hello");
}

TEST_F(Tls, NoticesAnEndWithoutAGoodbye) {
  auto manners = server_of();
  manners.ending = Manners::Ending::cut_off;
  EXPECT_EQ(connect(std::move(manners)), "tls_cut_off");
}

TEST_F(Tls, RefusesServersThatSpeakOnlyOldVersions) {
  auto manners = server_of();
  for (int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    manners.version_max = version;
    EXPECT_EQ(connect(manners), "tls_version") << version;
  }
  EXPECT_THAT(error_.message, HasSubstr("no TLS of version 1.2 or later"));
}

TEST_F(Tls, RefusesClientsThatSpeakOnlyOldVersions) {
  for (int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_EQ(accept({.version_max = version}), "tls_version") << version;
  }
}

TEST_F(Tls, ServesClientsThatOfferNoProtocolAndRefusesThoseThatOfferOnlyAnother) {
  EXPECT_EQ(accept({}), "");
  EXPECT_EQ(accept({.protocol = "http/1.1"}), "");
  EXPECT_NE(accept({.protocol = "h2"}), "");
}

TEST_F(Tls, ChangesKeysWhenItIsAskedToAndLeavesWhoAsksForEver) {
  EXPECT_EQ(accept({.key_updates = 10}), "");
  EXPECT_EQ(accept({.key_updates = 10'000}), "tls_failed");
}

async::task<void> answer_in_plain(Stream& other) {
  co_await other.write("HTTP/1.1 400 Bad Request\r\n\r\n");
}

TEST_F(Tls, SaysThatTheOtherSideDoesNotSpeakTls) {
  auto [one, other] = memory_streams(loop_.executor());
  loop_.run(answer_in_plain(*other));
  auto connected =
      loop_.run(async::attempt(tls_connect(std::move(one), authority_.client(), "localhost")));
  EXPECT_EQ(connected.error().code, "tls_not_spoken");
}

TEST_F(Tls, WaitsForASilentSideOnlySoLong) {
  auto [one, other] = memory_streams(loop_.executor());
  auto connected = loop_.run(async::attempt(
      tls_connect(std::move(one), authority_.client(), "localhost", Milliseconds{30})));
  EXPECT_EQ(connected.error().code, "tls_timed_out");
  EXPECT_EQ(connected.error().kind, ErrorKind::timed_out);
  auto [client, server] = memory_streams(loop_.executor());
  auto accepted = loop_.run(
      async::attempt(tls_accept(std::move(server), authority_.server(), Milliseconds{30})));
  EXPECT_EQ(accepted.error().code, "tls_timed_out");
}

async::task<void> ask_and_answer(StreamEnds below) {
  auto [client, server] = co_await tls_ends(std::move(below));
  char piece[100];
  co_await client->write("question");
  std::string heard;
  while (heard.size() < 8) heard.append(piece, co_await server->read_some(piece));
  EXPECT_EQ(heard, "question");
  server->close();
  EXPECT_EQ(co_await client->read_some(piece), 0U);
}

TEST_F(Tls, WorksOneByteAtATime) {
  auto [one, other] = memory_streams(loop_.executor());
  loop_.run(ask_and_answer(
      {std::make_unique<Dripping>(std::move(one)), std::make_unique<Dripping>(std::move(other))}));
}

TEST_F(Tls, RefusesWhatIsNoCertificateAndNoKey) {
  auto code = [](TlsIdentity identity) {
    auto made = TlsServer::make(identity);
    return made ? "" : made.error().code;
  };
  auto good = authority_.issue();
  EXPECT_EQ(code({"nothing", good.key}), "bad_certificate");
  EXPECT_EQ(code({"", good.key}), "bad_certificate");
  EXPECT_EQ(code({good.certificates + "-----BEGIN CERTIFICATE-----\nAAAA\n", good.key}),
            "bad_certificate");
  EXPECT_EQ(code({good.certificates, Secret{"nothing"}}), "bad_key");
  EXPECT_EQ(code({good.certificates, authority_.issue().key}), "bad_key");
  EXPECT_EQ(TlsClient::make({.authorities = "nothing"}).error().code, "bad_authorities");
}

TEST_F(Tls, RefusesCertificatesThatAreTooWeakWhereverInTheChain) {
  auto good = authority_.issue();
  auto weak = authority_.issue({.strength = CertificateWish::Strength::weak});
  auto alone = TlsServer::make(weak);
  EXPECT_EQ(alone.error().code, "bad_certificate");
  EXPECT_THAT(alone.error().message, HasSubstr("key too small"));
  TlsIdentity chain{good.certificates + authority_.certificate() + weak.certificates, good.key};
  auto above = TlsServer::make(chain);
  EXPECT_EQ(above.error().code, "bad_certificate");
  EXPECT_THAT(above.error().message, HasSubstr("number 3 of its chain"));
  EXPECT_EQ(TlsClient::make({.authorities = {}, .identity = chain}).error().code,
            "bad_certificate");
}

TEST_F(Tls, TrustsACertificateThatIsNamedTwice) {
  auto twice = authority_.certificate() + authority_.certificate();
  auto client =
      TlsClient::make({.system = SystemAuthorities::ignored, .authorities = twice, .identity = {}});
  EXPECT_EQ(connect(server_of(), client.value()), "");
}

}  // namespace
}  // namespace gantry::net
