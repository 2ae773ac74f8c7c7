// What stands on the way to a real socket.
#include "doctor/access_facts.hpp"

#include "async/descriptor.hpp"
#include "doctor/acl.hpp"
#include "doctor/healthy_fake.hpp"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;

constexpr Id somebody = 61'234;
/// user::rwx, user:61234:--x, group::---, mask::--x, other::---
constexpr std::string_view lets_somebody_in{
    "\x02\0\0\0"
    "\x01\0\x07\0\xff\xff\xff\xff"
    "\x02\0\x01\0\x32\xef\0\0"
    "\x04\0\0\0\xff\xff\xff\xff"
    "\x10\0\x01\0\xff\xff\xff\xff"
    "\x20\0\0\0\xff\xff\xff\xff",
    44};

class TheWayToASocket : public testing::Test {
 public:
  TheWayToASocket() {
    std::string name = "/tmp/gantry-way-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "d.sock";
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path_.native().copy(address.sun_path, sizeof address.sun_path - 1);
    // NOLINTNEXTLINE: the one cast the socket API asks for
    CHECK(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    fs::permissions(path_, fs::perms{0666});
  }
  ~TheWayToASocket() override { fs::remove_all(folder_); }

 protected:
  /// As the account that owns nothing here, which no process of this test is.
  Facts seen_by_somebody() const {
    Facts facts;
    facts.subject = {.what = "user 'somebody'",
                     .user = "somebody",
                     .uid = somebody,
                     .account_groups = {somebody},
                     .kind = Subject::Kind::other};
    facts.endpoint = {.source = "--engine", .text = "unix://" + path_.string()};
    look_at_access(facts, {});
    return facts;
  }
  bool give_list(std::string_view list) const {
    async::Descriptor folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return set_acl_attribute(folder.get(), std::string{list});
  }

  fs::path folder_;
  fs::path path_;
  async::Descriptor socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(TheWayToASocket, IsOpenWhereEverybodyMayEnter) {
  fs::permissions(folder_, fs::perms{0711});
  auto facts = seen_by_somebody();
  EXPECT_EQ(facts.socket->shut_by, "");
  EXPECT_EQ(facts.socket->behind, "");
  EXPECT_EQ(judged("access", facts).state, State::ok);
}

TEST_F(TheWayToASocket, IsShutByAFolderThatTheSubjectMayNotEnter) {
  auto facts = seen_by_somebody();
  EXPECT_EQ(facts.socket->shut_by, folder_);
  EXPECT_EQ(facts.socket->bar, SocketFile::Bar::mode);
  EXPECT_EQ(facts.socket->behind, folder_);
  EXPECT_THAT(advice(judged("access", facts)),
              testing::HasSubstr("sudo setfacl -m u:somebody:x " + folder_.string()));
}

TEST_F(TheWayToASocket, IsOpenToWhomAListOfTheFolderNames) {
  if (!give_list(lets_somebody_in)) GTEST_SKIP() << "this file system has no lists";
  auto facts = seen_by_somebody();
  EXPECT_EQ(facts.socket->shut_by, "");
  EXPECT_EQ(facts.socket->behind, folder_) << "nobody else may enter";
  EXPECT_EQ(judged("access", facts).state, State::ok);
  EXPECT_EQ(judged("socket_mode", facts).state, State::note);
}

TEST_F(TheWayToASocket, IsShutByTheMaskOfAList) {
  std::string masked{lets_somebody_in};
  masked[30] = 0;
  if (!give_list(masked)) GTEST_SKIP() << "this file system has no lists";
  auto facts = seen_by_somebody();
  EXPECT_EQ(facts.socket->shut_by, folder_);
  EXPECT_EQ(facts.socket->bar, SocketFile::Bar::list);
}

TEST_F(TheWayToASocket, IsShutToTheOwnerOfAFolderByTheOwnersOwnBits) {
  fs::permissions(folder_, fs::perms{0611});
  if (::chown(folder_.c_str(), somebody, somebody) != 0) GTEST_SKIP() << "only root can give it";
  auto facts = seen_by_somebody();
  EXPECT_EQ(facts.socket->shut_by, folder_);
  EXPECT_EQ(facts.socket->bar, SocketFile::Bar::owner);
}

}  // namespace
}  // namespace gantry::doctor
