#include "base/encoding.hpp"

#include <gtest/gtest.h>

namespace gantry::encoding {
namespace {

TEST(HexTest, ComesBackAsBytes) {
  EXPECT_EQ(from_hex("00fFa1"), (std::string{"\0\xff\xa1", 3}));
  EXPECT_EQ(from_hex(""), "");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex("0x"));
}

TEST(Base64Test, TheVectorsOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8=");
}

TEST(Base64Test, WhatWasEncodedComesBack) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (std::size_t length = 0; length <= every.size(); ++length) {
    EXPECT_EQ(from_base64(base64(every.substr(0, length))), every.substr(0, length));
  }
}

TEST(Base64Test, PaddingMayBeLeftOut) {
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zm8"), "fo");
}

TEST(Base64Test, AnythingElseIsRefused) {
  for (auto text : {"Z", "Zg=", "Zg===", "=", "Z===", "Zm9v\n", "Zm 9v",
                    "-_8=", "Zm9v=", "Zh==", "Zg==Zg==", "字", "\x9f\xd5\x9d\xbb"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(HexTest, BytesAsDigits) {
  EXPECT_EQ(hex(std::string_view{"\x00\xab\xff", 3}), "00abff");
  EXPECT_EQ(hex(""), "");
}

TEST(Sha256Test, TheVectorsOfFips180) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PercentTest, OnlyUnreservedCharactersStay) {
  EXPECT_EQ(percent("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent("../a b?c=d&e#f%"), "..%2Fa%20b%3Fc%3Dd%26e%23f%25");
  EXPECT_EQ(percent("ö"), "%C3%B6");
  EXPECT_EQ(percent(std::string_view{"\0\n", 2}), "%00%0A");
}

TEST(PercentTest, WhatWasEncodedComesBackAndBrokenEscapesDoNot) {
  EXPECT_EQ(from_percent(percent("a/b c字")), "a/b c字");
  EXPECT_EQ(from_percent("%2f%2F"), "//");
  EXPECT_EQ(from_percent("a+b"), "a+b");
  for (auto text : {"%", "%2", "%2g", "%%20", "a%"}) EXPECT_EQ(from_percent(text), std::nullopt);
}

TEST(Encoding, AnHmacIsThatOfTheStandard) {
  // RFC 4231, test cases 2 and 6.
  EXPECT_EQ(encoding::hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(encoding::hmac_sha256_hex(std::string(131, '\xaa'),
                                      "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace gantry::encoding
