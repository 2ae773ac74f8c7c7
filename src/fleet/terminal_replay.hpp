#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::fleet {

/// Follows a terminal's output byte by byte, as far as it must be known where it may be cut: not
/// inside a character of UTF-8, nor inside an escape sequence (ECMA-48 and xterm's control
/// sequences). Remembers the modes that a screen must be in to show what follows. Pure.
class TerminalScanner {
 public:
  /// DEC private modes a fresh screen has to be told of (xterm's ctlseqs, `CSI ? Pm h`).
  static constexpr std::array<std::uint16_t, 13> known_modes{
      1, 7, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1047, 1049, 2004};
  /// For each known mode: unset, reset (`l`) or set (`h`).
  enum class Mode : std::uint8_t { untold, off, on };
  using Modes = std::array<Mode, known_modes.size()>;

  void feed(char byte);
  /// Whether the output may be cut behind the last byte.
  bool at_boundary() const { return state_ == State::ground && missing_ == 0; }
  const Modes& modes() const { return modes_; }

 private:
  enum class State : std::uint8_t { ground, escape, intermediate, control, text, text_escape };

  void ground(unsigned char byte);
  void escape(unsigned char byte);
  void control(unsigned char byte);
  void set_modes(Mode mode);

  State state_ = State::ground;
  int missing_ = 0;         ///< Bytes of UTF-8 that the character under way still wants.
  std::string parameters_;  ///< Of a control sequence, at most `parameters_max` bytes.
  Modes modes_{};
};

/// The last of a terminal's output, for screens that come later: at most `size_max` bytes, which
/// begin where a screen can begin to read. Pure.
class TerminalReplay {
 public:
  explicit TerminalReplay(std::size_t size_max = 1U << 20U) : size_max_{size_max} {}

  void append(std::string_view bytes);
  /// What a fresh screen is to be shown: the modes of before, and then the bytes.
  std::string snapshot() const;
  std::size_t size() const { return bytes_.size() - start_; }

 private:
  /// A place where the output may be cut, `offset` bytes after its very beginning.
  struct Cut {
    std::uint64_t offset = 0;
    TerminalScanner::Modes modes{};
  };

  void note_cut();
  void begin_at(std::size_t start, const TerminalScanner::Modes& modes);
  void trim();

  std::size_t size_max_;
  TerminalScanner scanner_;
  std::string bytes_;
  std::size_t start_ = 0;            ///< Where in `bytes_` the replay begins.
  std::uint64_t dropped_ = 0;        ///< How much of the output came before `bytes_[0]`.
  TerminalScanner::Modes before_{};  ///< The modes at the replay's beginning.
  std::deque<Cut> cuts_;
  bool skipping_ = false;  ///< Until the sequence ends that is too long to be kept.
};

/// How many bytes at the end of `bytes` are the beginning of a character of UTF-8 whose rest has
/// not come: 0 to 3.
std::size_t unfinished_utf8(std::string_view bytes);

}  // namespace gantry::fleet
