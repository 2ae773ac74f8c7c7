// What the run used: from the container's own cgroup (v1 or v2, seen through a private cgroup
// namespace), because wait4 misses children nobody waited for and says nothing of OOM kills.
// Without these files: from the resource usage of the processes init reaped.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// What a file tells, and how: see accounting_adopt.
enum Measure {
  measure_cpu_us,  // cpu.stat of v2
  measure_cpu_ns,  // cpuacct.usage
  measure_peak,    // memory.peak, memory.max_usage_in_bytes
  measure_oom,     // memory.events, memory.oom_control
  // Of version 1, which does not charge sockets (sockets.h):
  measure_used,   // memory.usage_in_bytes
  measure_limit,  // memory.limit_in_bytes
  measure_files,  // memory.stat
  measure_count,
};

// Takes an open cgroup file instead of the one accounting_open would look for: where there is no
// cgroup file system to be seen.
void accounting_adopt(enum Measure measure, int fd);
// Opens the files. Done before the program exists, and they stay open.
void accounting_open(void);
// From here on the run's usage counts, not that of our start, of an earlier stage or of `waiting`,
// an interpreter kept warm (0: none).
void accounting_begin(pid_t waiting);

// CPU time of all processes of the run. `running` is the program not yet reaped, or 0.
uint64_t cpu_used_us(pid_t running);
// The highest memory use of the container, in bytes; includes files in its tmpfs.
uint64_t memory_peak(void);
// Processes the kernel killed for want of memory since accounting_begin.
uint64_t oom_kills(void);

// Whether the kernel charges the buffers of TCP and UDP sockets to the container: version 1 does
// not, unless somebody gave it a limit for them. True, too, where its files are not to be seen.
bool memory_charges_sockets(void);
// What the container may have, in bytes.
uint64_t memory_limit(void);
// What it has; with_cache: and copies of files, which the kernel takes back when it needs to.
enum MemoryUse { used_with_cache, used_without_cache };
uint64_t memory_used(enum MemoryUse use);

// How many CPUs the run can use at once, at least 1.
uint64_t usable_cpus(void);
