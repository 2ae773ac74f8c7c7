#include "engine/tar_source.hpp"

#include <array>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

using std::string_view_literals::operator""sv;

/// gzip, bzip2, xz, zstd, lzma and compress, by their first bytes.
constexpr std::array magics{"\x1f\x8b"sv,         "BZh"sv,      "\xfd\x37\x7a\x58\x5a\x00"sv,
                            "\x28\xb5\x2f\xfd"sv, "\x5d\x00"sv, "\x1f\x9d"sv};
constexpr std::size_t longest_magic = 6;

struct Rest {
  std::string begin;
  Source tar;
};

async::task<std::string> next(std::shared_ptr<Rest> rest) {
  if (!rest->begin.empty()) co_return std::exchange(rest->begin, {});
  co_return co_await rest->tar();
}

}  // namespace

async::task<Result<Source>> uncompressed(Doing doing, Source tar) {
  auto rest = std::make_shared<Rest>(std::string{}, std::move(tar));
  while (rest->begin.size() < longest_magic) {
    auto piece = co_await rest->tar();
    if (piece.empty()) break;
    rest->begin += piece;
  }
  for (auto magic : magics) {
    if (!rest->begin.starts_with(magic)) continue;
    co_return fail(ErrorKind::invalid, "archive_compressed",
                   fmt::format("cannot {}: the archive is compressed", doing.text()),
                   "give an uncompressed tar");
  }
  co_return Source{[rest] { return next(rest); }};
}

}  // namespace gantry::engine
