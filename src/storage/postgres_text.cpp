#include "storage/postgres_text.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace gantry::storage {
namespace {

constexpr char escape = '\x1a';

/// The length that the first byte of a character promises; 1 for one that begins none.
std::size_t promised(char first) {
  auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

void append_escaped(std::string& out, char byte) {
  out += escape;
  out += encoding::hex({&byte, 1});
}

}  // namespace

std::string to_postgres_text(std::string_view text) {
  bool plain = text.find('\0') == text.npos && text.find(escape) == text.npos;
  if (plain && text::valid_utf8(text)) return std::string{text};
  std::string out;
  out.reserve(text.size() + 16);
  while (!text.empty()) {
    auto piece = text.substr(0, std::min(promised(text.front()), text.size()));
    bool whole = text.front() != '\0' && text.front() != escape && text::valid_utf8(piece);
    if (whole) {
      out += piece;
    } else {
      append_escaped(out, text.front());
      piece = piece.substr(0, 1);
    }
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string from_postgres_text(std::string_view stored) {
  if (stored.find(escape) == stored.npos) return std::string{stored};
  std::string out;
  out.reserve(stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    auto byte = stored[i] == escape ? encoding::from_hex(stored.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += *byte;
      i += 2;
    } else {
      out += stored[i];
    }
  }
  return out;
}

}  // namespace gantry::storage
