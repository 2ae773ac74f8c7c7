// What the run used: from the container's own cgroup (v1 or v2, seen through a private cgroup
// namespace), because wait4 misses children nobody waited for and says nothing of OOM kills.
// Without these files: from the resource usage of the processes init reaped.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Opens the files. Done before the program exists, and they stay open.
void accounting_open(void);
// From here on the run's usage counts, not that of our start or of an interpreter kept warm.
void accounting_begin(void);

// CPU time of all processes of the run. `running` is the program not yet reaped, or 0.
uint64_t cpu_used_us(pid_t running);
// The highest memory use of the container, in bytes; includes files in its tmpfs.
uint64_t memory_peak(void);
// Processes the kernel killed for want of memory since accounting_begin.
uint64_t oom_kills(void);
// How many CPUs the run can use at once, at least 1.
uint64_t usable_cpus(void);
