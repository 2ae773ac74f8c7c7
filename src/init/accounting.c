#include "init/accounting.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// A number in a cgroup file: the file's only one, or the one behind `key` at a line's beginning.
struct Counter {
  const char* path;
  const char* key;
  uint64_t divisor;
};

struct Gauge {
  int fd;
  const struct Counter* counter;
  uint64_t baseline;
};

// cpuacct.usage counts nanoseconds. Its folder's name depends on who mounted the hierarchy.
static const struct Counter cpu_counters[] = {
    {"/sys/fs/cgroup/cpu.stat", "usage_usec", 1},
    {"/sys/fs/cgroup/cpuacct/cpuacct.usage", NULL, 1000},
    {"/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", NULL, 1000},
    {"/sys/fs/cgroup/cpuacct,cpu/cpuacct.usage", NULL, 1000},
    {NULL, NULL, 1},
};
static const struct Counter peak_counters[] = {
    {"/sys/fs/cgroup/memory.peak", NULL, 1},
    {"/sys/fs/cgroup/memory/memory.max_usage_in_bytes", NULL, 1},
    {NULL, NULL, 1},
};
static const struct Counter oom_counters[] = {
    {"/sys/fs/cgroup/memory.events", "oom_kill", 1},
    {"/sys/fs/cgroup/memory/memory.oom_control", "oom_kill", 1},
    {NULL, NULL, 1},
};

static struct Gauge cpu = {.fd = -1}, peak = {.fd = -1}, oom = {.fd = -1};
static uint64_t children_baseline_us;

static bool parse_number(const char* at, uint64_t* value) {
  if (*at < '0' || *at > '9') return false;
  uint64_t number = 0;
  for (; *at >= '0' && *at <= '9'; ++at) number = number * 10 + (uint64_t)(*at - '0');
  *value = number;
  return true;
}

static bool parse_keyed(const char* line, const char* key, uint64_t* value) {
  const size_t length = strlen(key);
  while (line != NULL) {
    if (strncmp(line, key, length) == 0 && line[length] == ' ') {
      return parse_number(line + length + 1, value);
    }
    line = strchr(line, '\n');
    if (line != NULL) ++line;
  }
  return false;
}

static bool read_counter(int fd, const struct Counter* counter, uint64_t* value) {
  char bytes[4096];
  const ssize_t size = pread(fd, bytes, sizeof bytes - 1, 0);
  if (size <= 0) return false;
  bytes[size] = '\0';
  const bool found =
      counter->key == NULL ? parse_number(bytes, value) : parse_keyed(bytes, counter->key, value);
  if (found) *value /= counter->divisor;
  return found;
}

static void open_gauge(struct Gauge* gauge, const struct Counter* counters) {
  if (gauge->fd >= 0) return;
  for (const struct Counter* counter = counters; counter->path != NULL; ++counter) {
    const int fd = open(counter->path, O_RDONLY | O_CLOEXEC);
    uint64_t value;
    if (fd >= 0 && read_counter(fd, counter, &value)) {
      gauge->fd = fd;
      gauge->counter = counter;
      return;
    }
    if (fd >= 0) close(fd);
  }
}

static bool read_gauge(const struct Gauge* gauge, uint64_t* value) {
  return gauge->fd >= 0 && read_counter(gauge->fd, gauge->counter, value);
}

void accounting_adopt(enum Measure measure, int fd) {
  static const struct {
    struct Gauge* gauge;
    struct Counter counter;
  } ways[measure_count] = {
      [measure_cpu_us] = {&cpu, {NULL, "usage_usec", 1}},
      [measure_cpu_ns] = {&cpu, {NULL, NULL, 1000}},
      [measure_peak] = {&peak, {NULL, NULL, 1}},
      [measure_oom] = {&oom, {NULL, "oom_kill", 1}},
  };
  ways[measure].gauge->fd = fd;
  ways[measure].gauge->counter = &ways[measure].counter;
}

void accounting_open(void) {
  open_gauge(&cpu, cpu_counters);
  open_gauge(&peak, peak_counters);
  open_gauge(&oom, oom_counters);
}

static uint64_t microseconds(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static uint64_t cpu_of_process_us(pid_t process) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

// Without the files: what was reaped, and what the one process we know has used so far.
static uint64_t cpu_of_children_us(pid_t running) {
  struct rusage reaped = {0};
  getrusage(RUSAGE_CHILDREN, &reaped);
  const uint64_t alive = running > 0 ? cpu_of_process_us(running) : 0;
  return microseconds(reaped.ru_utime) + microseconds(reaped.ru_stime) + alive;
}

void accounting_begin(pid_t waiting) {
  read_gauge(&cpu, &cpu.baseline);
  read_gauge(&oom, &oom.baseline);
  children_baseline_us = cpu_of_children_us(waiting);
}

static uint64_t since(uint64_t value, uint64_t baseline) {
  return value > baseline ? value - baseline : 0;
}

uint64_t cpu_used_us(pid_t running) {
  uint64_t value;
  if (read_gauge(&cpu, &value)) return since(value, cpu.baseline);
  return since(cpu_of_children_us(running), children_baseline_us);
}

uint64_t memory_peak(void) {
  uint64_t value;
  if (read_gauge(&peak, &value)) return value;
  struct rusage reaped = {0};
  getrusage(RUSAGE_CHILDREN, &reaped);
  return (uint64_t)reaped.ru_maxrss * 1024;
}

uint64_t oom_kills(void) {
  uint64_t value;
  return read_gauge(&oom, &value) ? since(value, oom.baseline) : 0;
}

uint64_t usable_cpus(void) {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  const int count = CPU_COUNT(&cpus);
  return count > 0 ? (uint64_t)count : 1;
}
