// TLS as a Stream over another one. OpenSSL sees no socket: it reads from one buffer in memory and
// writes to another, and what goes between those and the stream below is moved here. So every wait
// is a wait of the stream below, with its cancellation: a read that is cancelled has lost nothing.
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/openssl.hpp"
#include "net/tls.hpp"
#include "net/tls_errors.hpp"

#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace gantry::net {
namespace {

constexpr std::size_t read_max = 8U << 10U;
/// What is encrypted at once; more would only wait in memory.
constexpr std::size_t write_max = 64U << 10U;
/// What reading may leave to be said before the next write: answers to requests for new keys. Only
/// somebody who means harm makes them that many.
constexpr std::size_t unsaid_max = 16U << 10U;

using Connection = std::unique_ptr<SSL, Freed<SSL_free>>;

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> below, SSL_CTX* context, std::string peer)
      : below_{std::move(below)}, connection_{SSL_new(context)}, peer_{std::move(peer)} {
    CHECK(connection_ != nullptr);
    incoming_ = BIO_new(BIO_s_mem());
    outgoing_ = BIO_new(BIO_s_mem());
    CHECK(incoming_ != nullptr && outgoing_ != nullptr);
    SSL_set_bio(connection_.get(), incoming_, outgoing_);
    SSL_set_app_data(connection_.get(), &doubt_);
  }
  ~TlsStream() override { close(); }

  SSL* connection() const { return connection_.get(); }
  async::task<void> handshake();

  async::task<std::size_t> read_some(std::span<char> into) override;
  async::task<void> write(std::string_view bytes) override;
  void write_last(std::string bytes) override;
  void finish_writing() override;
  void close() override;

 private:
  bool can_write() const { return !closed_ && !failed_ && !sending_; }
  /// The world broke: nothing can be said to the other side any more, but why.
  Failure broken();
  /// Waits for bytes from below; throws when there are none where some must be.
  async::task<void> fill();
  /// What OpenSSL has for the other side.
  std::string collect();
  async::task<void> flush();
  void say_goodbye();

  std::unique_ptr<Stream> below_;
  Connection connection_;
  BIO* incoming_;  // both belong to the connection
  BIO* outgoing_;
  std::string peer_;
  TlsDoubt doubt_;
  bool agreed_ = false;
  /// A write is under way below, or was broken off in the middle of a record.
  bool sending_ = false;
  bool failed_ = false;
  bool closed_ = false;
};

Failure TlsStream::broken() {
  failed_ = true;
  Failure failure{tls_error(peer_, doubt_)};
  // The alert that tells the other side.
  if (!sending_) below_->write_last(collect());
  return failure;
}

std::string TlsStream::collect() {
  std::string bytes(BIO_ctrl_pending(outgoing_), '\0');
  if (!bytes.empty()) BIO_read(outgoing_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

async::task<void> TlsStream::flush() {
  for (auto bytes = collect(); !bytes.empty(); bytes = collect()) {
    // Stays set when the write throws: how much of a record went is not known then.
    sending_ = true;
    co_await below_->write(bytes);
    sending_ = false;
  }
}

async::task<void> TlsStream::fill() {
  std::array<char, read_max> bytes;
  auto count = co_await below_->read_some(bytes);
  if (count == 0) throw Failure{tls_cut_off(peer_)};
  BIO_write(incoming_, bytes.data(), static_cast<int>(count));
}

async::task<void> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    int answer = SSL_do_handshake(connection_.get());
    if (answer != 1 && SSL_get_error(connection_.get(), answer) != SSL_ERROR_WANT_READ) {
      throw broken();
    }
    co_await flush();
    agreed_ = answer == 1;
    if (agreed_) co_return;
    co_await fill();
  }
}

async::task<std::size_t> TlsStream::read_some(std::span<char> into) {
  for (;;) {
    if (closed_ || failed_) throw boost::system::system_error{boost::asio::error::bad_descriptor};
    ERR_clear_error();
    std::size_t count = 0;
    int answer = SSL_read_ex(connection_.get(), into.data(), into.size(), &count);
    if (answer == 1) co_return count;
    int why = SSL_get_error(connection_.get(), answer);
    if (why == SSL_ERROR_ZERO_RETURN) co_return 0;
    bool floods = BIO_ctrl_pending(outgoing_) > unsaid_max;
    if (why != SSL_ERROR_WANT_READ || floods) throw broken();
    co_await fill();
  }
}

async::task<void> TlsStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!can_write()) throw boost::system::system_error{boost::asio::error::broken_pipe};
    auto piece = bytes.substr(0, write_max);
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(connection_.get(), piece.data(), piece.size(), &count) != 1) throw broken();
    co_await flush();
    bytes.remove_prefix(count);
  }
}

void TlsStream::write_last(std::string bytes) {
  if (!can_write()) return;
  std::size_t count = 0;
  ERR_clear_error();
  SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count);
  ERR_clear_error();
  below_->write_last(collect());
}

/// The connection below stays whole: the other side may still speak, and learns from the goodbye
/// alone that we shall not.
void TlsStream::say_goodbye() {
  bool said = (SSL_get_shutdown(connection_.get()) & SSL_SENT_SHUTDOWN) != 0;
  if (!can_write() || !agreed_ || said) return;
  ERR_clear_error();
  SSL_shutdown(connection_.get());
  ERR_clear_error();
  below_->write_last(collect());
}

void TlsStream::finish_writing() { say_goodbye(); }

void TlsStream::close() {
  if (closed_) return;
  say_goodbye();
  closed_ = true;
  below_->close();
}

/// Puts the name into the hello (SNI), where it is one, and into what the certificate must say.
void expect_name(SSL* connection, std::string name) {
  auto* rules = SSL_get0_param(connection);
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(name, not_an_address);
  if (!not_an_address) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1);
    return;
  }
  if (name.ends_with('.')) name.pop_back();
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  bool named = !name.empty() && SSL_set1_host(connection, name.c_str()) == 1 &&
               SSL_set_tlsext_host_name(connection, name.c_str()) == 1;
  if (named) return;
  throw Failure{{ErrorKind::invalid, "tls_bad_name",
                 fmt::format("cannot speak TLS with '{}': it is no name of a host", name),
                 "name a host or an IP address"}};
}

async::task<std::unique_ptr<Stream>> agree(std::unique_ptr<TlsStream> stream, std::string peer,
                                           Milliseconds limit) {
  auto agreed =
      co_await async::attempt(async::with_deadline(limit, "the handshake", stream->handshake()));
  if (agreed) co_return stream;
  auto error = std::move(agreed.error());
  if (error.kind == ErrorKind::timed_out) {
    throw Failure{{ErrorKind::timed_out, "tls_timed_out",
                   fmt::format("cannot speak TLS with '{}': it did not agree within {} ms", peer,
                               limit.count()),
                   "check that TLS is spoken there, and the network between"}};
  }
  // The connection broke below TLS.
  if (!error.code.starts_with("tls_")) throw Failure{tls_cut_off(peer)};
  throw Failure{std::move(error)};
}

}  // namespace

async::task<std::unique_ptr<Stream>> tls_connect(std::unique_ptr<Stream> stream, TlsClient client,
                                                 std::string server_name,
                                                 Milliseconds handshake_max) {
  auto tls = std::make_unique<TlsStream>(std::move(stream), client.context(), server_name);
  SSL_set_verify(tls->connection(), SSL_VERIFY_PEER, tls_note_doubt);
  expect_name(tls->connection(), server_name);
  SSL_set_connect_state(tls->connection());
  co_return co_await agree(std::move(tls), std::move(server_name), handshake_max);
}

async::task<std::unique_ptr<Stream>> tls_accept(std::unique_ptr<Stream> stream, TlsServer server,
                                                Milliseconds handshake_max) {
  auto tls = std::make_unique<TlsStream>(std::move(stream), server.context(), "the client");
  SSL_set_accept_state(tls->connection());
  co_return co_await agree(std::move(tls), "the client", handshake_max);
}

}  // namespace gantry::net
