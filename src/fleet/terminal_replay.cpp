#include "fleet/terminal_replay.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr unsigned char bell = 0x07;
constexpr unsigned char cancel = 0x18;
constexpr unsigned char substitute = 0x1A;
constexpr unsigned char escape_byte = 0x1B;
/// More is no sequence of any terminal, and is not remembered.
constexpr std::size_t parameters_max = 64;
/// Places to cut are remembered this far apart.
constexpr std::uint64_t between_cuts = 1024;

int length_of(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 1;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

/// What begins a text up to ST: DCS, SOS, OSC, PM, APC.
bool begins_text(unsigned char byte) {
  return byte == 'P' || byte == 'X' || byte == ']' || byte == '^' || byte == '_';
}

}  // namespace

void TerminalScanner::ground(unsigned char byte) {
  if (missing_ > 0 && is_continuation(byte)) {
    --missing_;
    return;
  }
  missing_ = 0;
  if (byte == escape_byte) {
    state_ = State::escape;
  } else {
    missing_ = length_of(byte) - 1;
  }
}

void TerminalScanner::escape(unsigned char byte) {
  if (byte == '[') {
    state_ = State::control;
    parameters_.clear();
  } else if (begins_text(byte)) {
    state_ = State::text;
  } else if (byte >= 0x20 && byte <= 0x2F) {
    state_ = State::intermediate;
  } else {
    state_ = State::ground;
  }
}

void TerminalScanner::control(unsigned char byte) {
  if (byte >= 0x20 && byte <= 0x3F) {
    if (parameters_.size() < parameters_max) parameters_ += static_cast<char>(byte);
    return;
  }
  if (byte < 0x20) return;  // obeyed at once, and the sequence goes on
  if (byte == 'h') set_modes(Mode::on);
  if (byte == 'l') set_modes(Mode::off);
  state_ = State::ground;
  if (byte >= 0x80) ground(byte);
}

void TerminalScanner::set_modes(Mode mode) {
  if (!parameters_.starts_with('?')) return;
  for (auto word : text::split(std::string_view{parameters_}.substr(1), ';')) {
    std::uint16_t number = 0;
    auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) continue;
    const auto* found = std::ranges::find(known_modes, number);
    if (found != known_modes.end()) {
      modes_[static_cast<std::size_t>(found - known_modes.begin())] = mode;
    }
  }
}

void TerminalScanner::feed(char byte) {
  auto code = static_cast<unsigned char>(byte);
  bool aborts = code == cancel || code == substitute;
  if (state_ != State::ground && aborts) {
    state_ = State::ground;
    return;
  }
  if (state_ != State::ground && code == escape_byte) {
    state_ = state_ == State::text ? State::text_escape : State::escape;
    return;
  }
  switch (state_) {
    case State::ground:
      return ground(code);
    case State::escape:
      return escape(code);
    case State::intermediate:
      if (code < 0x20 || code > 0x2F) state_ = State::ground;
      return;
    case State::control:
      return control(code);
    case State::text:
      if (code == bell) state_ = State::ground;
      return;
    case State::text_escape:
      // ESC \ ends the text; any other ESC begins something new.
      state_ = State::ground;
      if (code != '\\') escape(code);
      return;
  }
}

void TerminalReplay::note_cut() {
  auto offset = dropped_ + bytes_.size();
  if (!cuts_.empty() && offset - cuts_.back().offset < between_cuts) return;
  cuts_.push_back({offset, scanner_.modes()});
}

void TerminalReplay::append(std::string_view bytes) {
  for (char byte : bytes) {
    bytes_ += byte;
    scanner_.feed(byte);
    if (!scanner_.at_boundary()) continue;
    note_cut();
    if (skipping_) begin_at(bytes_.size(), scanner_.modes());
  }
  if (skipping_) start_ = bytes_.size();
  trim();
}

void TerminalReplay::begin_at(std::size_t start, const TerminalScanner::Modes& modes) {
  start_ = start;
  before_ = modes;
  skipping_ = false;
}

void TerminalReplay::trim() {
  if (size() > size_max_) {
    auto wanted = dropped_ + bytes_.size() - size_max_;
    while (!cuts_.empty() && cuts_.front().offset < wanted) cuts_.pop_front();
    if (cuts_.empty()) {
      // Nowhere in all of it may it be cut.
      start_ = bytes_.size();
      skipping_ = true;
    } else {
      begin_at(static_cast<std::size_t>(cuts_.front().offset - dropped_), cuts_.front().modes);
    }
  }
  // Moving the rest to the front costs as much as it is long: not for every few bytes.
  if (start_ < size_max_ / 4) return;
  bytes_.erase(0, start_);
  dropped_ += start_;
  start_ = 0;
}

std::string TerminalReplay::snapshot() const {
  std::string out;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (before_[i] == TerminalScanner::Mode::untold) continue;
    bool on = before_[i] == TerminalScanner::Mode::on;
    out += fmt::format("\x1b[?{}{}", TerminalScanner::known_modes[i], on ? 'h' : 'l');
  }
  out += std::string_view{bytes_}.substr(start_);
  return out;
}

std::size_t unfinished_utf8(std::string_view bytes) {
  auto most = std::min<std::size_t>(3, bytes.size());
  for (std::size_t back = 1; back <= most; ++back) {
    auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if (is_continuation(byte)) continue;
    return length_of(byte) > static_cast<int>(back) ? back : 0;
  }
  return 0;
}

}  // namespace gantry::fleet
