#include "net/tls_files.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "net/few_descriptors_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "net/tls_certificates_fake.hpp"

#include <fstream>

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TlsFiles : public testing::Test {
 protected:
  TlsFiles() {
    std::string name = fs::temp_directory_path() / "gantry-tls-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~TlsFiles() override { fs::remove_all(folder_); }

  void write(const TlsIdentity& identity) {
    // A new file in the old one's place, as tools that renew certificates do it.
    std::ofstream{folder_ / "new.pem"} << identity.certificates;
    fs::rename(folder_ / "new.pem", certificate());
    std::ofstream{folder_ / "new.pem"} << identity.key.reveal();
    fs::rename(folder_ / "new.pem", key());
  }
  fs::path certificate() const { return folder_ / "server.pem"; }
  fs::path key() const { return folder_ / "server.key"; }
  /// "" when a client of `authority` trusts the server, else the error's code.
  std::string verdict(TlsServer server, const TestAuthority& authority) {
    return loop_.run(agree(std::move(server), authority));
  }
  static async::task<std::string> agree(TlsServer server, const TestAuthority& authority) {
    auto [one, other] = memory_streams(co_await boost::asio::this_coro::executor);
    std::string verdict;
    co_await async::both(connect(std::move(one), authority, verdict),
                         serve(std::move(other), std::move(server)));
    co_return verdict;
  }
  static async::task<void> connect(std::unique_ptr<Stream> stream, const TestAuthority& authority,
                                   std::string& verdict) {
    auto connected =
        co_await async::attempt(tls_connect(std::move(stream), authority.client(), "localhost"));
    if (!connected) verdict = connected.error().code;
  }
  static async::task<void> serve(std::unique_ptr<Stream> stream, TlsServer server) {
    co_await async::attempt(tls_accept(std::move(stream), std::move(server)));
  }

  async::TestLoop loop_;
  fs::path folder_;
  TestAuthority first_;
  TestAuthority second_;
};

TEST_F(TlsFiles, AreReadAnewWhenTheyChange) {
  write(first_.issue());
  auto began = steady_now();
  auto files = TlsServerFiles::open(certificate(), key()).value();
  auto opened = files.current();
  write(second_.issue());
  auto former = files.current();
  // A busy machine may need longer for this than the files are left alone.
  bool left_alone = steady_now() - began < Seconds{1};
  EXPECT_EQ(verdict(opened, first_), "");
  if (left_alone) EXPECT_EQ(verdict(former, first_), "");
  loop_.run(async::pause(Milliseconds{1'050}));
  EXPECT_EQ(verdict(files.current(), second_), "");
  EXPECT_EQ(verdict(files.current(), first_), "tls_unknown_authority");
}

TEST_F(TlsFiles, ThatCanNotBeUsedLeaveTheFormerOnesInPlace) {
  write(first_.issue());
  auto files = TlsServerFiles::open(certificate(), key()).value();
  std::ofstream{certificate()} << "half a certif";
  loop_.run(async::pause(Milliseconds{1'050}));
  EXPECT_EQ(verdict(files.current(), first_), "");
}

TEST_F(TlsFiles, ThatCouldNotBeReadAreTriedAgain) {
  write(first_.issue());
  auto files = TlsServerFiles::open(certificate(), key()).value();
  write(second_.issue());
  loop_.run(async::pause(Milliseconds{1'050}));
  std::optional<FewDescriptors> none{0};
  auto former = files.current();
  none.reset();
  EXPECT_EQ(verdict(former, first_), "");
  loop_.run(async::pause(Milliseconds{1'050}));
  EXPECT_EQ(verdict(files.current(), second_), "");
}

TEST_F(TlsFiles, AreReadAnewThoughTheirSizeAndTimeStayTheSame) {
  auto padded = [](TlsIdentity identity) {
    identity.certificates.resize(2'000, '\n');
    identity.key = Secret{std::string{identity.key.reveal()}.append(1'000, '\n').substr(0, 1'000)};
    return identity;
  };
  auto put = [](const fs::path& file, std::string_view text, fs::file_time_type time) {
    std::ofstream{file} << text;
    fs::last_write_time(file, time);
  };
  write(padded(first_.issue()));
  auto files = TlsServerFiles::open(certificate(), key()).value();
  auto other = padded(second_.issue());
  put(certificate(), other.certificates, fs::last_write_time(certificate()));
  put(key(), other.key.reveal(), fs::last_write_time(key()));
  loop_.run(async::pause(Milliseconds{1'050}));
  EXPECT_EQ(verdict(files.current(), second_), "");
}

TEST_F(TlsFiles, AreNamedWhenTheyCanNotBeUsed) {
  EXPECT_EQ(TlsServerFiles::open(certificate(), key()).error().code, "file_unreadable");
  write({first_.certificate(), Secret{"nothing"}});
  auto refused = TlsServerFiles::open(certificate(), key()).error();
  EXPECT_EQ(refused.code, "bad_key");
  EXPECT_THAT(refused.message, HasSubstr(key().string()));
}

TEST_F(TlsFiles, GiveAClientItsAuthoritiesAndWhoItIs) {
  write(first_.issue());
  std::ofstream{folder_ / "ca.pem"} << first_.certificate();
  TlsClientFiles files{folder_ / "ca.pem", certificate(), key()};
  EXPECT_TRUE(load_tls_client(files));
  EXPECT_TRUE(load_tls_client({}));
  files.authorities = folder_ / "missing.pem";
  auto refused = load_tls_client(files).error();
  EXPECT_THAT(refused.message, HasSubstr("missing.pem"));
}

}  // namespace
}  // namespace gantry::net
