#include "cli/local_server.hpp"

#include "cli/api_client.hpp"
#include "cli/testing_fake.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace gantry::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string dialled(const std::string& asked, const std::vector<std::string>& urls) {
  auto endpoint = listed_endpoint(value_or_throw(server_endpoint(asked)), urls);
  return endpoint ? endpoint->text() : "nobody";
}

TEST(LocalAddresses, AreReadAsTheyAreWrittenButForOtherMachines) {
  auto text = addresses_text({"http://127.0.0.1:1", "http://10.0.0.7:2", "https://[::1]:3"});
  EXPECT_THAT(local_addresses(text), ElementsAre("http://127.0.0.1:1", "https://[::1]:3"));
  EXPECT_THAT(local_addresses("\n\nnonsense\nhttp://127.evil.example:1"), IsEmpty());
}

TEST(LocalAddresses, AreTheOnlyOnesThatAreDialled) {
  EXPECT_EQ(dialled("http://127.0.0.1:1", {"http://127.0.0.1:2", "http://127.0.0.1:1"}),
            "tcp://127.0.0.1:1");
  EXPECT_EQ(dialled("http://127.0.0.1:1", {"http://127.0.0.1:2"}), "nobody");
  EXPECT_EQ(dialled("http://[::1]:1", {"http://127.0.0.1:1"}), "nobody");
  EXPECT_EQ(dialled("http://127.0.0.2:1", {"http://127.0.0.1:1"}), "nobody");
  EXPECT_EQ(dialled("http://127.0.0.1:1", {"https://127.0.0.1:1"}), "nobody");
  EXPECT_EQ(dialled("http://127.0.0.1:1", {}), "nobody");
}

TEST(LocalAddresses, SayWhichLocalhostIsMeant) {
  EXPECT_EQ(dialled("http://localhost:1", {"http://[::1]:1"}), "tcp://[::1]:1");
  EXPECT_EQ(dialled("http://localhost:1", {"http://127.0.0.1:1"}), "tcp://127.0.0.1:1");
  EXPECT_EQ(dialled("http://localhost:2", {"http://127.0.0.1:1"}), "nobody");
  // The certificate is the name's.
  EXPECT_EQ(dialled("https://localhost:1", {"https://127.0.0.1:1"}), "tls://localhost:1");
}

class LocalToken : public testing::Test {
 protected:
  LocalToken() { std::filesystem::create_directories(folder_); }
  ~LocalToken() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{folder_ / name} << text;
  }
  /// Asks as whoever gives neither a token nor a token's file.
  std::string ask() {
    ServerAccess access{.url = url_, .token_file = folder_ / local_token_file};
    auto client = value_or_throw(ApiClient::open(remote_.context(), access));
    auto answer = remote_.run(client->get("list hosts", "/api/v1/hosts"));
    return answer ? "fine" : answer.error().sentence();
  }

  async::task<void> serve(net::http::Exchange& exchange) {
    sent_ = exchange.request().headers.get("Authorization");
    return exchange.respond({sent_.empty() ? 401U : 200U, {{"Content-Type", "application/json"}}},
                            "{}");
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("gantry_local_token_{}", ::getpid());
  std::string sent_ = "never asked";
  TestRemote remote_{[this](net::http::Exchange& exchange) { return serve(exchange); }};
  std::string url_ = remote_.access().url;
};

TEST_F(LocalToken, GoesToTheServerThatWroteIt) {
  write("local.token", "secret\n");
  write("local.addresses", "http://127.0.0.1:1\n" + url_ + "\n");
  EXPECT_EQ(ask(), "fine");
  EXPECT_EQ(sent_, "Bearer secret");
}

TEST_F(LocalToken, IsKeptFromWhoeverElseListens) {
  write("local.token", "secret\n");
  write("local.addresses", "http://127.0.0.1:1\n");
  auto said = ask();
  EXPECT_EQ(sent_, "");
  EXPECT_THAT(said, HasSubstr("was not sent to '" + url_ +
                              "': its server listens at 'http://127.0.0.1:1'"));
  EXPECT_THAT(said, HasSubstr("--server http://127.0.0.1:1"));
}

TEST_F(LocalToken, OfAServerThatDoesNotSayWhereItListensGoesNowhere) {
  write("local.token", "secret\n");
  auto said = ask();
  EXPECT_EQ(sent_, "");
  EXPECT_THAT(said, HasSubstr("its server does not say that it listens there"));
  EXPECT_THAT(said, HasSubstr("start that server anew"));
}

}  // namespace
}  // namespace gantry::cli
