#include "init/accounting.h"

#include <fcntl.h>
#include <sched.h>
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

// Only of version 1, where these are needed.
#define MEMORY "/sys/fs/cgroup/memory/memory."
static const struct Counter used_counters[] = {{MEMORY "usage_in_bytes", NULL, 1}, {NULL, NULL, 1}};
static const struct Counter limit_counters[] = {{MEMORY "limit_in_bytes", NULL, 1},
                                                {NULL, NULL, 1}};
static const struct Counter active_counters[] = {{MEMORY "stat", "active_file", 1},
                                                 {NULL, NULL, 1}};
static const struct Counter inactive_counters[] = {{MEMORY "stat", "inactive_file", 1},
                                                   {NULL, NULL, 1}};
static const struct Counter socket_limit_counters[] = {{MEMORY "kmem.tcp.limit_in_bytes", NULL, 1},
                                                       {NULL, NULL, 1}};

static struct Gauge cpu = {.fd = -1}, peak = {.fd = -1}, oom = {.fd = -1};
static struct Gauge used = {.fd = -1}, limit = {.fd = -1};
static struct Gauge active_files = {.fd = -1}, inactive_files = {.fd = -1};
static bool charges_sockets;
static uint64_t children_baseline_us;
static uint64_t cpus_at_start = 1;

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
      [measure_used] = {&used, {NULL, NULL, 1}},
      [measure_limit] = {&limit, {NULL, NULL, 1}},
      [measure_files] = {&active_files, {NULL, "active_file", 1}},
  };
  ways[measure].gauge->fd = fd;
  ways[measure].gauge->counter = &ways[measure].counter;
  if (measure != measure_files) return;
  static const struct Counter inactive = {NULL, "inactive_file", 1};
  inactive_files.fd = fd;
  inactive_files.counter = &inactive;
}

// Before any program runs: one of the same user may take processors away from us later.
static void count_cpus(void) {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return;
  if (CPU_COUNT(&cpus) > 0) cpus_at_start = (uint64_t)CPU_COUNT(&cpus);
}

// Without a limit of their own, which is a number no machine has, nothing is counted for them.
static void open_memory(void) {
  static const uint64_t no_limit = 1ull << 60;
  struct Gauge sockets = {.fd = -1};
  uint64_t of_sockets = no_limit;
  open_gauge(&used, used_counters);
  open_gauge(&limit, limit_counters);
  open_gauge(&active_files, active_counters);
  open_gauge(&inactive_files, inactive_counters);
  open_gauge(&sockets, socket_limit_counters);
  read_gauge(&sockets, &of_sockets);
  if (sockets.fd >= 0) close(sockets.fd);
  charges_sockets = used.fd < 0 || limit.fd < 0 || of_sockets < no_limit;
}

bool memory_charges_sockets(void) { return charges_sockets; }

static uint64_t number_of(const struct Gauge* gauge, uint64_t otherwise) {
  uint64_t value;
  return read_gauge(gauge, &value) ? value : otherwise;
}

uint64_t memory_limit(void) { return number_of(&limit, UINT64_MAX); }

uint64_t memory_used(enum MemoryUse use) {
  const uint64_t all = number_of(&used, 0);
  if (use == used_with_cache) return all;
  const uint64_t files = number_of(&active_files, 0) + number_of(&inactive_files, 0);
  return all > files ? all - files : 0;
}

void accounting_open(void) {
  count_cpus();
  open_gauge(&cpu, cpu_counters);
  open_gauge(&peak, peak_counters);
  open_gauge(&oom, oom_counters);
  open_memory();
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

uint64_t usable_cpus(void) { return cpus_at_start; }
