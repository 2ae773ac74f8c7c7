#include "engine/streams.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr std::size_t header_size = 8;
constexpr std::size_t piece_max = 64U << 10U;

Error stream_broken(std::string why) {
  return {ErrorKind::unavailable,
          "engine_stream_broken",
          "cannot read the container's output: " + std::move(why),
          {}};
}

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

/// One step of reading frames from a source of pieces: what is there, an error, or "read more".
std::optional<Frame> next_frame(StreamDemux& demux) {
  auto frame = demux.next();
  if (!frame) throw Failure{frame.error()};
  return std::move(*frame);
}

void check_end(const StreamDemux& demux) {
  if (!demux.between_frames()) throw Failure{stream_broken("it ends inside a frame")};
}

}  // namespace

void StreamDemux::feed(std::string_view bytes) {
  buffer_.erase(0, read_);
  read_ = 0;
  buffer_ += bytes;
}

Result<std::optional<FrameView>> StreamDemux::next_view() {
  if (broken_) return fail(*broken_);
  while (remaining_ == 0) {
    auto header = std::string_view{buffer_}.substr(read_);
    if (header.size() < header_size) return std::nullopt;
    auto stream = byte_at(header, 0);
    auto length = byte_at(header, 4) << 24U | byte_at(header, 5) << 16U | byte_at(header, 6) << 8U |
                  byte_at(header, 7);
    auto padding = byte_at(header, 1) | byte_at(header, 2) | byte_at(header, 3);
    // 0 stdin (echoed), 1 stdout, 2 stderr, 3 the engine's own complaint.
    if (stream > 3 || padding != 0 || length > frame_max) {
      broken_ = stream_broken(fmt::format(
          "a frame header says stream {} and {} bytes, which no engine sends", stream, length));
      return fail(*broken_);
    }
    output_ = stream >= 2 ? Output::err : Output::out;
    remaining_ = length;
    begins_ = true;
    read_ += header_size;
  }
  auto available = buffer_.size() - read_;
  auto size = std::min({available, std::size_t{remaining_}, piece_max});
  if (size == 0) return std::nullopt;
  FrameView view{.output = output_,
                 .bytes = std::string_view{buffer_}.substr(read_, size),
                 .begins = std::exchange(begins_, false),
                 .ends = size == remaining_};
  read_ += size;
  remaining_ -= static_cast<std::uint32_t>(size);
  return view;
}

Result<std::optional<Frame>> StreamDemux::next() {
  auto view = next_view();
  if (!view) return fail(std::move(view.error()));
  if (!*view) return std::nullopt;
  return Frame{(*view)->output, std::string{(*view)->bytes}};
}

AttachedStream::AttachedStream(std::unique_ptr<net::Stream> stream, Framing framing)
    : stream_{std::move(stream)}, framing_{framing}, scratch_(piece_max, '\0') {}

async::task<std::optional<Frame>> AttachedStream::read() {
  for (;;) {
    if (framing_ == Framing::multiplexed) {
      if (auto frame = next_frame(demux_)) co_return frame;
    }
    auto size = co_await stream_->read_some(scratch_);
    std::string_view bytes{scratch_.data(), size};
    if (framing_ == Framing::raw) {
      if (bytes.empty()) co_return std::nullopt;
      co_return Frame{Output::out, std::string{bytes}};
    }
    if (bytes.empty()) {
      check_end(demux_);
      co_return std::nullopt;
    }
    demux_.feed(bytes);
  }
}

async::task<void> AttachedStream::write(std::string_view bytes) { return stream_->write(bytes); }

void AttachedStream::finish_writing() { stream_->finish_writing(); }

void AttachedStream::close() { stream_->close(); }

OutputStream::OutputStream(net::http::StreamedResponse response, Framing framing)
    : response_{std::move(response)}, framing_{framing} {}

async::task<std::optional<Frame>> OutputStream::read(Milliseconds idle) {
  for (;;) {
    if (framing_ == Framing::multiplexed) {
      if (auto frame = next_frame(demux_)) co_return frame;
    }
    auto piece = co_await response_.read(idle);
    if (framing_ == Framing::raw) {
      if (piece.empty()) co_return std::nullopt;
      co_return Frame{Output::out, std::move(piece)};
    }
    if (piece.empty()) {
      check_end(demux_);
      co_return std::nullopt;
    }
    demux_.feed(piece);
  }
}

async::task<bool> OutputStream::more(Milliseconds idle) {
  auto piece = co_await response_.read(idle);
  if (piece.empty()) {
    if (framing_ == Framing::multiplexed) check_end(demux_);
    co_return false;
  }
  if (framing_ == Framing::multiplexed) {
    demux_.feed(piece);
  } else {
    raw_ = std::move(piece);
    raw_taken_ = false;
  }
  co_return true;
}

std::optional<FrameView> OutputStream::take() {
  if (framing_ == Framing::raw) {
    if (std::exchange(raw_taken_, true)) return std::nullopt;
    return FrameView{.output = Output::out, .bytes = raw_};
  }
  auto view = demux_.next_view();
  if (!view) throw Failure{view.error()};
  return *view;
}

JsonLines::JsonLines(net::http::StreamedResponse response, std::size_t line_max)
    : response_{std::move(response)}, line_max_{line_max} {}

async::task<std::optional<std::string>> JsonLines::next(Milliseconds idle) {
  for (;;) {
    auto end = buffer_.find('\n', searched_);
    if (end != std::string::npos || ended_) {
      auto line = std::string{text::trimmed(std::string_view{buffer_}.substr(0, end))};
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      searched_ = 0;
      if (!line.empty()) co_return line;
      if (ended_ && buffer_.empty()) co_return std::nullopt;
      continue;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > line_max_) {
      throw Failure{{ErrorKind::too_large,
                     "engine_answer_too_large",
                     fmt::format("cannot read the engine's answer: a line of it is over the limit "
                                 "of {} bytes",
                                 line_max_),
                     {}}};
    }
    auto piece = co_await response_.read(idle);
    ended_ = piece.empty();
    buffer_ += piece;
  }
}

}  // namespace gantry::engine
