// What the run's sockets hold. Version 1 of the control groups charges the buffers of TCP and UDP
// sockets to nobody (those of Unix sockets and every other version it does charge), so there the
// queues are looked up and added to the memory that is charged. Engines take a KernelMemoryTCP for
// this, but runc has not passed it on since 1.0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Opens what is to be read later. Does nothing where the kernel charges the buffers itself.
void sockets_open(void);
// A run begins.
void sockets_begin(void);
// When sockets_exceed wants to be asked next; INT64_MAX: never.
int64_t sockets_next_ns(void);
// Whether memory and sockets together hold more than the container's limit. Looks only where there
// are sockets, and spends at most a fifth of the time on it.
bool sockets_exceed(void);
// The limit, once it was exceeded; 0 before. What is in sockets is only known roughly.
uint64_t sockets_peak(void);
