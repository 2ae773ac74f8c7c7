#include "base/log.hpp"

#include "base/text.hpp"

#include <atomic>
#include <memory>
#include <string>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace gantry::log {
namespace {

// Lines that can wait while standard error is slow; older ones are dropped, the server never waits.
constexpr std::size_t queue_lines_max = 8192;

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance;
  return instance;
}

std::atomic<Level> least_level{Level::warn};
std::atomic<Style> line_style{Style::text};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void start(Level least, Style style) {
  least_level = least;
  line_style = style;
  spdlog::init_thread_pool(queue_lines_max, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto made = std::make_shared<spdlog::async_logger>("gantry", sink, spdlog::thread_pool(),
                                                     spdlog::async_overflow_policy::overrun_oldest);
  made->set_level(spdlog_level(least));
  made->flush_on(spdlog::level::warn);
  made->set_pattern(style == Style::json
                        ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})"
                        : "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v",
                    spdlog::pattern_time_type::utc);
  logger() = std::move(made);
}

void stop() {
  if (!logger()) return;
  logger()->flush();
  logger().reset();
  spdlog::shutdown();
}

void flush() {
  if (logger()) logger()->flush();
}

bool enabled(Level level) { return level >= least_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view line) {
  if (!enabled(level)) return;
  auto safe = line_style == Style::json ? text::json_quoted(line) : text::one_line(line);
  if (logger()) {
    logger()->log(spdlog_level(level), safe);
  } else {
    fmt::print(stderr, "gantry: {}\n", safe);
  }
}

}  // namespace gantry::log
