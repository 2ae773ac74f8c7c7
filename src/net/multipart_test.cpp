#include "net/multipart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

std::string part(std::string_view disposition, std::string_view content) {
  return std::string{"--x\r\nContent-Disposition: form-data; "} + std::string{disposition} +
         "\r\n\r\n" + std::string{content} + "\r\n";
}

std::string refusal(const std::string& body, const FormLimits& limits = {}) {
  auto parts = parse_form(body, "x", limits);
  return parts ? "none" : parts.error().message;
}

TEST(FormBoundaryTest, ComesFromTheContentType) {
  EXPECT_THAT(form_boundary("multipart/form-data; boundary=abc"), Optional(Eq("abc")));
  EXPECT_THAT(form_boundary("multipart/form-data; charset=utf-8; Boundary=\"a b\""),
              Optional(Eq("a b")));
}

TEST(FormBoundaryTest, MustBeThereAndBeShort) {
  EXPECT_FALSE(form_boundary("multipart/form-data"));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary="));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=\"a\nb\""));
}

TEST(FormTest, FieldsAndFilesComeInTheirOrder) {
  auto body = part("name=\"script\"", "echo hi") +
              part("name=\"files\"; filename=\"a.txt\"", "one\r\ntwo") +
              part("name=files; filename=b.txt", "") + "--x--\r\n";
  auto parts = parse_form(body, "x").value();
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].name, "script");
  EXPECT_EQ(parts[0].content, "echo hi");
  EXPECT_FALSE(parts[0].file_name);
  EXPECT_THAT(parts[1].file_name, Optional(Eq("a.txt")));
  EXPECT_EQ(parts[1].content, "one\r\ntwo");
  EXPECT_EQ(parts[2].name, "files");
  EXPECT_EQ(parts[2].content, "");
}

TEST(FormTest, ContentMayLookLikeADelimiter) {
  auto body = part("name=\"a\"", "1\r\n--xy\r\n--x-\r\n-- x") + "--x--";
  EXPECT_EQ(parse_form(body, "x").value().at(0).content, "1\r\n--xy\r\n--x-\r\n-- x");
}

TEST(FormTest, PreambleAndPaddingAreSkipped) {
  auto body = "hello\r\n--x \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--after";
  EXPECT_EQ(parse_form(body, "x").value().at(0).content, "1");
}

TEST(FormTest, FileNamesAreUnescaped) {
  auto name = [](std::string_view disposition) {
    auto body = part("name=f; " + std::string{disposition}, "") + "--x--";
    return parse_form(body, "x").value().at(0).file_name.value_or("none");
  };
  EXPECT_EQ(name(R"(filename="a \"b\" \\ c.txt")"), R"(a "b" \ c.txt)");
  EXPECT_EQ(name(R"(filename="C:\x\a.txt")"), R"(C:\x\a.txt)");
  EXPECT_EQ(name("filename=\"a.txt\"; filename*=UTF-8''na%C3%AFve.txt"), "naïve.txt");
  EXPECT_EQ(name("filename*=UTF-8''b.txt; filename=a.txt"), "b.txt");
  EXPECT_EQ(name("filename*=latin1''b.txt"), "none");
  EXPECT_EQ(name("filename=\"semi;colon.txt\""), "semi;colon.txt");
}

TEST(FormTest, WhatIsNoFormIsRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("does not occur"));
  EXPECT_THAT(refusal("--y--"), HasSubstr("does not occur"));
  EXPECT_THAT(refusal(part("name=a", "1")), HasSubstr("in the middle of a part"));
  EXPECT_THAT(refusal(part("filename=a", "1") + "--x--"), HasSubstr("no name"));
  EXPECT_THAT(refusal("--x\r\n\r\n1\r\n--x--"), HasSubstr("no name"));
  EXPECT_THAT(refusal("--x\r\nContent-Disposition: form-data; name=a\r\n--x--"),
              HasSubstr("does not end"));
  EXPECT_EQ(refusal("--x--"), "none");
}

TEST(FormTest, PartsAndTheirHeadsAreBounded) {
  auto body = part("name=a", "1") + part("name=b", "2") + "--x--";
  EXPECT_EQ(refusal(body, {.parts_max = 2}), "none");
  EXPECT_THAT(refusal(body, {.parts_max = 1}), HasSubstr("over 1 parts"));
  EXPECT_THAT(refusal(body, {.part_head_max = 8}), HasSubstr("too long"));
}

}  // namespace
}  // namespace gantry::net::http
