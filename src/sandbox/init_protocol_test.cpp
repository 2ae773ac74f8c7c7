#include "sandbox/init_protocol.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox::init {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

using namespace std::string_literals;

auto frame(char type, std::string payload) {
  return AllOf(Field(&Frame::type, type), Field(&Frame::payload, payload));
}

std::string bytes(char type, std::string_view payload) {
  std::string out{type};
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(payload.size() >> static_cast<unsigned>(shift));
  }
  return out.append(payload);
}

/// What a reader makes of everything it has been fed.
std::vector<Frame> drain(FrameReader& reader) {
  std::vector<Frame> frames;
  while (auto next = value_or_throw(reader.next())) frames.push_back(std::move(*next));
  return frames;
}

TEST(EncodeProgramTest, ASmallProgramIsTheseBytes) {
  Program program{.command = {"sh", "a"}, .files = {{"a", "ls", File::Mode::executable}}};
  Policy policy{.wall_time = Milliseconds{1'000}, .cpu_time = Milliseconds{500}};
  policy.output = {65'536};
  auto limits =
      "\1"s + "\0\0\0\0\0\0\3\xe8"s + "\0\0\0\0\0\0\1\xf4"s + "\0\0\0\0\0\1\0\0"s + "\0\0\0\x12"s;
  auto file = "\0\0\1\xed"s + "\0\0\0\0\0\0\0\2"s + "a";
  EXPECT_EQ(encode_program(program, policy, {}),
            bytes('L', limits) + bytes('A', "sh") + bytes('A', "a") + bytes('E', "HOME=/box") +
                bytes('E', "LANG=C.UTF-8") +
                bytes('E', "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") +
                bytes('E', "TMPDIR=/tmp") + bytes('C', "/box") + bytes('F', file) +
                bytes('D', "ls") + bytes('G', ""));
}

TEST(EncodeProgramTest, AnEmptyFileTakesNoData) {
  Program program{.command = {"x"}, .files = {{"empty", "", {}}}};
  EXPECT_THAT(encode_program(program, {}, {}),
              HasSubstr(bytes('F', "\0\0\1\xa4\0\0\0\0\0\0\0\0empty"s) + bytes('G', "")));
}

TEST(EncodeProgramTest, ALargeFileIsCutIntoFramesOfTheLargestSize) {
  Program program{.command = {"x"}, .files = {{"f", std::string(payload_max + 1, 'z'), {}}}};
  EXPECT_THAT(encode_program(program, {}, {}),
              HasSubstr(bytes('D', std::string(payload_max, 'z')) + bytes('D', "z")));
}

TEST(EncodeProgramTest, TheProgramsVariablesWinOverOursAndOursOverTheImages) {
  Program program{.command = {"x"}, .env = {{"A", "mine"}, {"HOME", "/tmp"}}};
  auto encoded = encode_program(program, {}, {"A=image", "HOME=/root", "TMPDIR=/", "B=b=c"});
  EXPECT_THAT(encoded,
              AllOf(HasSubstr(bytes('E', "A=mine")), HasSubstr(bytes('E', "B=b=c")),
                    HasSubstr(bytes('E', "HOME=/tmp")), HasSubstr(bytes('E', "TMPDIR=/tmp"))));
}

TEST(EncodeProgramTest, TheImagesPathIsKeptAndItsMalformedVariablesAreNot) {
  auto encoded = encode_program({.command = {"x"}}, {}, {"PATH=/opt/bin", "=x", "NOVALUE", ""});
  EXPECT_THAT(encoded, HasSubstr(bytes('E', "PATH=/opt/bin")));
  EXPECT_THAT(encoded, Not(HasSubstr("NOVALUE")));
  EXPECT_THAT(encoded, Not(HasSubstr(bytes('E', "=x"))));
}

TEST(EncodeInputTest, InputEndsWithItsEnd) {
  EXPECT_EQ(encode_input("hi"), bytes('I', "hi") + bytes('Z', ""));
  EXPECT_EQ(encode_input(""), bytes('Z', ""));
}

TEST(FrameReaderTest, FramesComeOutWhateverTheBytesCameIn) {
  auto stream = bytes('R', "\1") + bytes('S', "") + bytes('O', "hello") + bytes('P', "\0\xff"s);
  FrameReader reader;
  std::vector<Frame> frames;
  for (char byte : stream) {
    reader.feed({&byte, 1});
    for (auto& one : drain(reader)) frames.push_back(std::move(one));
  }
  EXPECT_THAT(frames, ElementsAre(frame('R', "\1"), frame('S', ""), frame('O', "hello"),
                                  frame('P', "\0\xff"s)));
}

TEST(FrameReaderTest, ManyFramesMayComeAtOnceWithTheNextOneBegun) {
  std::string stream;
  for (int i = 0; i < 50'000; ++i) stream += bytes('O', "x");
  FrameReader reader;
  reader.feed(stream + "O\0\0"s);
  EXPECT_EQ(drain(reader).size(), 50'000U);
  reader.feed("\0\1y"s);
  EXPECT_THAT(drain(reader), ElementsAre(frame('O', "y")));
}

TEST(FrameReaderTest, AFrameOfTheLargestSizeIsRead) {
  FrameReader reader;
  reader.feed(bytes('O', std::string(payload_max, 'm')));
  EXPECT_THAT(drain(reader), ElementsAre(frame('O', std::string(payload_max, 'm'))));
}

TEST(FrameReaderTest, AFrameOverTheLimitIsRefusedByItsHeadAlone) {
  FrameReader reader;
  reader.feed("O\0\1\0\1"s);
  auto next = reader.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, "bad_frame");
  EXPECT_THAT(next.error().message, HasSubstr("65537 bytes"));
  EXPECT_FALSE(reader.next());
}

std::string report(std::uint8_t version_byte, std::uint8_t cause) {
  std::string payload{static_cast<char>(version_byte), static_cast<char>(cause)};
  payload += "\0\0\0\x89"s + "\0\0\0\x9"s;
  payload += "\0\0\0\0\0\0\4\0"s + "\0\0\0\0\0\0\2\0"s + "\0\0\0\0\0\1\0\0"s;
  return payload + std::string(24, '\0');
}

TEST(DecodeReportTest, EveryNumberIsInItsPlace) {
  auto decoded = decode_report(report(1, 4)).value();
  EXPECT_EQ(decoded.cause, Cause::memory);
  EXPECT_EQ(decoded.exit_code, 137);
  EXPECT_EQ(decoded.signal, 9);
  EXPECT_EQ(decoded.wall_time, Microseconds{1'024});
  EXPECT_EQ(decoded.cpu_time, Microseconds{512});
  EXPECT_EQ(decoded.memory_peak_bytes, 65'536U);
}

TEST(DecodeReportTest, AnExitCodeMayBeNegative) {
  auto payload = report(1, 0).replace(2, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(decode_report(payload)->exit_code, -1);
}

TEST(DecodeReportTest, AnotherSizeVersionOrCauseIsRefused) {
  EXPECT_FALSE(decode_report(""));
  EXPECT_FALSE(decode_report(report(1, 0).substr(1)));
  EXPECT_FALSE(decode_report(report(1, 0) + "x"));
  EXPECT_FALSE(decode_report(report(2, 0)));
  EXPECT_FALSE(decode_report(report(0, 0)));
  EXPECT_FALSE(decode_report(report(1, 8)));
  EXPECT_FALSE(decode_report(report(1, 255)));
}

TEST(DecodeReportTest, TimesThatCanNotBeAreRefused) {
  auto forever = std::string(8, '\xff');
  EXPECT_FALSE(decode_report(report(1, 0).replace(10, 8, forever)));
  EXPECT_FALSE(decode_report(report(1, 0).replace(18, 8, forever)));
}

}  // namespace
}  // namespace gantry::sandbox::init
