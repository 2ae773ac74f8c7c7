#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/http_client.hpp"
#include "net/stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::engine {

/// Which of a program's two outputs bytes came from.
enum class Output { out, err };

/// A piece of output. One frame of the engine may be handed out in several pieces.
struct Frame {
  Output output = Output::out;
  std::string bytes;
};

/// As Frame, borrowed from what has been read: valid until more is fed.
struct FrameView {
  Output output = Output::out;
  std::string_view bytes;
  bool begins = true;  ///< Whether these are the first bytes of the engine's frame,
  bool ends = true;    ///< and whether they are its last.
};

/// How output travels: containers with a terminal send raw bytes, all others frames.
enum class Framing { multiplexed, raw };

/// Takes apart the engine's multiplexed output: frames of 8 bytes header (stream, three zero
/// bytes, big-endian length) and payload. Pure: feed bytes, take frames. Hands out what has
/// arrived, so memory follows the bytes received and never a length somebody claims.
/// https://docs.docker.com/engine/api/v1.41/#operation/ContainerAttach
class StreamDemux {
 public:
  /// A header that claims more can only be bytes that are no header.
  static constexpr std::uint32_t frame_max = 16U << 20U;

  void feed(std::string_view bytes);
  /// The next piece; empty: feed me more. An error (engine_stream_broken) is final.
  Result<std::optional<Frame>> next();
  /// As `next`, without a copy.
  Result<std::optional<FrameView>> next_view();
  /// Whether the stream may end here.
  bool between_frames() const { return read_ == buffer_.size() && remaining_ == 0; }

 private:
  std::string buffer_;
  std::size_t read_ = 0;
  std::uint32_t remaining_ = 0;
  bool begins_ = false;
  Output output_ = Output::out;
  std::optional<Error> broken_;
};

/// A hijacked connection to a container's or exec's standard streams.
/// One reader and one writer at a time; limits on waiting are the caller's.
class AttachedStream {
 public:
  AttachedStream(std::unique_ptr<net::Stream> stream, Framing framing);

  /// The next piece of output (never empty); nothing at the end. Throws Failure when the
  /// connection breaks, ends inside a frame, or what comes is not the engine's framing.
  async::task<std::optional<Frame>> read();
  /// Returns when all bytes have been handed to the transport.
  async::task<void> write(std::string_view bytes);
  /// The program sees the end of its standard input.
  void finish_writing();
  /// Ends both directions; pending operations fail.
  void close();

 private:
  std::unique_ptr<net::Stream> stream_;
  Framing framing_;
  StreamDemux demux_;
  std::string scratch_;
};

/// Output that comes as a response's body (logs).
class OutputStream {
 public:
  OutputStream(net::http::StreamedResponse response, Framing framing);

  /// As AttachedStream::read. `idle` is the longest silence (zero: any).
  async::task<std::optional<Frame>> read(Milliseconds idle);

  // For much output at once: one wait for many frames. Not to be mixed with `read`.

  /// Waits until more has come; false at the end. Throws Failure as `read` does.
  async::task<bool> more(Milliseconds idle);
  /// The next piece of what has come; nothing: ask for `more`. Throws Failure.
  std::optional<FrameView> take();

 private:
  net::http::StreamedResponse response_;
  Framing framing_;
  StreamDemux demux_;
  std::string raw_;
  bool raw_taken_ = true;
};

/// Splits a response's body into JSON values, one per line: events, stats, pull progress.
/// Lines over the cap are a Failure (engine_answer_too_large).
class JsonLines {
 public:
  explicit JsonLines(net::http::StreamedResponse response, std::size_t line_max = 16U << 20U);

  /// The next non-empty line; nothing at the end. `idle` is the longest silence (zero: any).
  async::task<std::optional<std::string>> next(Milliseconds idle);

 private:
  net::http::StreamedResponse response_;
  std::size_t line_max_;
  std::string buffer_;
  std::size_t searched_ = 0;
  bool ended_ = false;
};

}  // namespace gantry::engine
