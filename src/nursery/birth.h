// What the server asks a nursery for, over a Unix socket that keeps the borders of packets. Both
// ends are of one build on one machine: plain structures in the machine's own byte order.
#pragma once

#include <stdint.h>

enum {
  // The nursery's end of the socket.
  nursery_socket = 3,
  birth_descriptors_max = 16,
  filter_instructions_max = 4096,
};

enum NurseryPacket {
  // To the nursery: the seccomp filter of everything born after it, as struct sock_filter.
  packet_filter = 1,
  // To the nursery: struct Birth, with its descriptors.
  packet_birth = 2,
};

// What a descriptor that comes with a birth is for. Exactly one is the stream.
enum BirthRole {
  birth_stream = 1,  // frames in and out: gantry-init's descriptors 0 and 1
  birth_attach,      // a cgroup.procs the newborn writes itself into
  birth_cpu_us,      // counters of its cgroup, see enum Measure
  birth_cpu_ns,
  birth_peak,
  birth_oom,
  birth_used,
  birth_limit,
  birth_files,
};

enum BirthFlags {
  // The nursery has its privileges in a user namespace only, so the newborn needs one of its own.
  birth_user_namespace = 1,
  // /tmp is writable.
  birth_temporary_files = 2,
};

struct Birth {
  uint32_t packet;  // packet_birth
  uint32_t flags;
  uint32_t user;  // and group
  uint32_t inodes_max;
  uint64_t tmpfs_bytes;
  uint64_t file_bytes;  // RLIMIT_FSIZE
  uint64_t data_bytes;  // RLIMIT_DATA; 0: a cgroup limits memory
  uint32_t processes;   // RLIMIT_NPROC; 0: a cgroup limits them
  uint32_t descriptors;
  uint8_t roles[birth_descriptors_max];
};

// From the nursery, once per birth: 0 and a pidfd of the newborn, or why there is none.
struct BirthAnswer {
  int32_t error;
};
