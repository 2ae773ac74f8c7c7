// What HTTP parsers have disagreed about, as bytes on a socket (security.md names the sources):
// each must be refused with the right status, and nothing behind it may be taken for a request.
#include "net/http_server_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net::http {
namespace {

struct Attack {
  std::string name;
  std::string bytes;
  unsigned status;
};

std::string post(std::string_view fields, std::string_view body = "0\r\n\r\n") {
  return fmt::format("POST / HTTP/1.1\r\nHost: x\r\n{}\r\n{}", fields, body);
}
std::string get(std::string_view fields) { return fmt::format("GET / HTTP/1.1\r\n{}\r\n", fields); }
std::string line(std::string_view first) { return fmt::format("{}\r\nHost: x\r\n\r\n", first); }
std::string chunks(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

std::vector<Attack> framing() {
  return {
      {"length_and_chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"chunked_and_length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"two_lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"same_length_twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "01234"), 400},
      {"length_with_plus", post("Content-Length: +5\r\n"), 400},
      {"length_in_hex", post("Content-Length: 0x5\r\n"), 400},
      {"length_list", post("Content-Length: 5,5\r\n", "01234"), 400},
      {"length_negative", post("Content-Length: -1\r\n"), 400},
      {"length_empty", post("Content-Length: \r\n"), 400},
      {"length_two_to_the_64", post("Content-Length: 18446744073709551616\r\n"), 400},
      {"coding_identity", post("Transfer-Encoding: chunked, identity\r\n"), 501},
      {"coding_unknown", post("Transfer-Encoding: xchunked\r\n"), 501},
      {"coding_gzip", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"coding_with_parameter", post("Transfer-Encoding: chunked;p=1\r\n"), 501},
      {"coding_with_control",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       400},
      {"coding_twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
      {"coding_in_http_1_0",
       "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunk_size_not_hex", chunks("zz\r\n"), 400},
      {"chunk_size_0x", chunks("0x5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_size_overflow", chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_without_line_end", chunks("5\r\nhelloXX0\r\n\r\n"), 400},
      {"chunk_size_negative", chunks("-5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_bare_lf", chunks("5\nhello\n0\n\n"), 400},
      {"chunk_extension_endless", chunks("5;" + std::string(20000, 'x')), 400},
      {"chunk_extension_with_lf", chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_extension_with_cr", chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_size_after_blank", chunks(" 5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_size_empty", chunks("\r\nhello\r\n0\r\n\r\n"), 400},
      {"trailer_with_bare_lf", chunks("0\r\nX: a\n\r\n"), 400},
      {"trailer_length", chunks("0\r\nContent-Length: 5\r\n\r\n"), 400},
  };
}

std::vector<Attack> heads() {
  return {
      {"bare_lf", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"bare_lf_in_field", get("Host: x\r\nX: a\nY: b\r\n"), 400},
      {"bare_cr_in_field", get("Host: x\r\nX: a\rY: b\r\n"), 400},
      {"space_before_colon", get("Host: x\r\nX : a\r\n"), 400},
      {"no_colon", get("Host: x\r\nnonsense\r\n"), 400},
      {"folded_line", get("Host: x\r\nX: a\r\n b\r\n"), 400},
      {"leading_space", get(" Host: x\r\n"), 400},
      {"nul_in_value", get(std::string{"Host: x\r\nX: a\0b\r\n", 17}), 400},
      {"control_in_name", get("Host: x\r\nX\x01Y: a\r\n"), 400},
      {"no_host", get("X: a\r\n"), 400},
      {"two_hosts", get("Host: x\r\nHost: y\r\n"), 400},
      {"same_host_twice", get("Host: x\r\nHost: x\r\n"), 400},
      {"blank_host", get("Host: \r\n"), 400},
      {"host_with_user", get("Host: a@b\r\n"), 400},
      {"host_with_path", get("Host: a/b\r\n"), 400},
      {"host_list", get("Host: a, b\r\n"), 400},
      {"absolute_form_of_another_host", line("GET http://y/ HTTP/1.1"), 400},
      {"absolute_form_with_user", line("GET http://u@x/ HTTP/1.1"), 400},
      {"other_scheme", line("GET ftp://x/ HTTP/1.1"), 400},
      {"asterisk_of_get", line("GET * HTTP/1.1"), 400},
      {"no_version", line("GET /"), 400},
      {"version_9", line("GET / HTTP/9.9"), 505},
      {"version_1_2", line("GET / HTTP/1.2"), 505},
      {"version_in_lower_case", line("GET / http/1.1"), 400},
      {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"tab_separators", line("GET\t/\tHTTP/1.1"), 400},
      {"two_spaces", line("GET  / HTTP/1.1"), 400},
      {"space_in_target", line("GET /a b HTTP/1.1"), 400},
      {"control_in_target", line("GET /a\x7f HTTP/1.1"), 400},
      {"fragment_in_target", line("GET /a#b HTTP/1.1"), 400},
      {"bytes_over_ascii_in_target", line("GET /\xc0\xae HTTP/1.1"), 400},
      {"target_of_64_kib", line("GET /" + std::string(65536, 'x') + " HTTP/1.1"), 414},
      {"header_of_100_kib", get("Host: x\r\nX: " + std::string(100'000, 'x') + "\r\n"), 431},
      {"ten_thousand_headers",
       get("Host: x\r\n" +
           [] {
             std::string fields;
             for (int i = 0; i < 10'000; ++i) fields += "a: b\r\n";
             return fields;
           }()),
       431},
      {"method_in_mixed_case", line("GeT / HTTP/1.1"), 501},
      {"method_connect", line("CONNECT x:443 HTTP/1.1"), 405},
      {"method_trace", line("TRACE / HTTP/1.1"), 405},
      {"method_endless", std::string(100'000, 'M'), 414},
      {"expectation_unknown", get("Host: x\r\nExpect: miracles\r\n"), 417},
      {"tls_hello", std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 12}, 400},
  };
}

async::task<void> handle(std::vector<std::string>& handled, Exchange& exchange) {
  auto target = exchange.request().target;
  auto body = co_await exchange.body(Bytes{1U << 20U});
  handled.push_back(target);
  co_await exchange.respond({}, "handled");
}

class HttpFraming : public testing::TestWithParam<Attack> {};

TEST_P(HttpFraming, IsRefusedAndEndsTheConnection) {
  std::vector<std::string> handled;
  TestServer host{[&](Exchange& exchange) { return handle(handled, exchange); }};
  auto answer = host.run(host.say(
      GetParam().bytes + "GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(answer, testing::StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
  EXPECT_THAT(answer, testing::HasSubstr("Connection: close"));
  EXPECT_THAT(handled, testing::IsEmpty());
}

std::string name_of(const testing::TestParamInfo<Attack>& attack) { return attack.param.name; }

INSTANTIATE_TEST_SUITE_P(Framing, HttpFraming, testing::ValuesIn(framing()), name_of);
INSTANTIATE_TEST_SUITE_P(Heads, HttpFraming, testing::ValuesIn(heads()), name_of);

}  // namespace
}  // namespace gantry::net::http
