#include "doctor/acl.hpp"

#include "async/descriptor.hpp"

#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using namespace std::string_view_literals;
using testing::IsEmpty;

TEST(Acl, IsReadAsTheKernelLaysItOut) {
  auto entries = read_acl(
      "\x02\0\0\0"
      "\x01\0\x06\0\xff\xff\xff\xff"
      "\x02\0\x03\0\xe8\x03\0\0"
      "\x10\0\x04\0\xff\xff\xff\xff"
      "\x20\0\0\0\xff\xff\xff\xff"sv);
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[1].who, AclEntry::Who::user);
  EXPECT_EQ(entries[1].id, 1000U);
  EXPECT_TRUE(entries[1].write);
  EXPECT_TRUE(entries[1].enter);
  EXPECT_EQ(entries[2].who, AclEntry::Who::mask);
  EXPECT_FALSE(entries[2].write);
  EXPECT_FALSE(entries[2].enter);
}

TEST(Acl, IsNoneOfAnotherVersionOrOfHalfAnEntry) {
  EXPECT_THAT(read_acl("\x01\0\0\0\x01\0\x06\0\xff\xff\xff\xff"sv), IsEmpty());
  EXPECT_THAT(read_acl("\x02\0\0\0\x01\0\x06"sv), IsEmpty());
  EXPECT_THAT(read_acl(""), IsEmpty());
}

TEST(AclAttribute, IsEmptyWhereAFileHasNone) {
  EXPECT_EQ(acl_attribute("/proc/self/status"), "");
  async::Descriptor file{::open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
  EXPECT_EQ(acl_attribute(file.get()), "");
}

TEST(AclAttribute, IsNotTakenForNoneWhereItCanNotBeRead) {
  EXPECT_EQ(acl_attribute("/proc/self/no-such-file"), std::nullopt);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(acl_attribute(-1), std::nullopt);
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace gantry::doctor
