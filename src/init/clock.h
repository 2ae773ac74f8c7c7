#pragma once

#include <stdint.h>
#include <time.h>

// Nanoseconds of CLOCK_MONOTONIC: a changed wall clock neither ends nor prolongs a run.
static inline int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const int64_t ns_per_us = 1000;
static const int64_t ns_per_ms = 1000000;

// For ppoll: how long until then, never negative.
static inline struct timespec time_until(int64_t then_ns) {
  int64_t left = then_ns - now_ns();
  if (left < 0) left = 0;
  return (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
}
