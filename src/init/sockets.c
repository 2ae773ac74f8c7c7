#include "init/sockets.h"

#include "init/accounting.h"
#include "init/clock.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

// A processor fills some 5 MiB of buffers in a millisecond. To ask whether there are sockets takes
// some 50 us with all that is around it.
static const int64_t idle_pause_ms = 20, pause_min_ms = 2, pause_max_ms = 250;
// Of the time, one part in so many: a program may have thousands of sockets.
static const int64_t cost_share = 4;
enum { page = 4096, listening = 0x0A };

// Lines of "sl local remote state sent:received …", in hexadecimal.
struct Table {
  const char* path;
  // TCP tells the bytes of data, which take about as much memory in large pieces and up to some
  // times as much in small ones. UDP tells what its buffers take.
  unsigned weight;
  int fd;
};
static struct Table tables[] = {
    {"/proc/net/tcp", 2, -1},
    {"/proc/net/tcp6", 2, -1},
    {"/proc/net/udp", 1, -1},
    {"/proc/net/udp6", 1, -1},
};
enum { table_count = sizeof tables / sizeof *tables };

static int counts = -1;  // /proc/net/sockstat
static uint64_t sockets_of_others;
static int64_t next_ns = INT64_MAX;
static uint64_t peak_bytes;
static char bytes[page + 512];

static uint64_t sockets_in_use(void) {
  static const char key[] = "sockets: used ";
  char text[512];
  const ssize_t size = pread(counts, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = '\0';
  uint64_t count = 0;
  if (strncmp(text, key, sizeof key - 1) != 0) return 0;
  for (const char* at = text + sizeof key - 1; *at >= '0' && *at <= '9'; ++at) {
    count = count * 10 + (uint64_t)(*at - '0');
  }
  return count;
}

void sockets_open(void) {
  if (memory_charges_sockets()) return;
  memset(bytes, 1, sizeof bytes);
  counts = open("/proc/net/sockstat", O_RDONLY | O_CLOEXEC);
  if (counts < 0) return;
  sockets_of_others = sockets_in_use();
  for (int i = 0; i < table_count; ++i) {
    tables[i].fd = open(tables[i].path, O_RDONLY | O_CLOEXEC);
  }
}

void sockets_begin(void) {
  peak_bytes = 0;
  next_ns = counts < 0 ? INT64_MAX : now_ns() + idle_pause_ms * ns_per_ms;
}

int64_t sockets_next_ns(void) { return next_ns; }

uint64_t sockets_peak(void) { return peak_bytes; }

static const char* read_hex(const char* at, uint64_t* value) {
  *value = 0;
  for (;; ++at) {
    if (*at >= '0' && *at <= '9') {
      *value = *value << 4 | (uint64_t)(*at - '0');
    } else if (*at >= 'A' && *at <= 'F') {
      *value = *value << 4 | (uint64_t)(*at - 'A' + 10);
    } else {
      return at;
    }
  }
}

static uint64_t weighed(uint64_t queue, unsigned weight) {
  if (queue == 0) return 0;
  const uint64_t takes = queue * weight;
  return takes < page ? page : takes;
}

// What one socket's line says that it holds.
static uint64_t held_by(const char* line, unsigned weight) {
  enum { fields_before_state = 3 };
  const char* at = line;
  for (int field = 0; field < fields_before_state; ++field) {
    while (*at == ' ') ++at;
    while (*at != ' ' && *at != '\0') ++at;
  }
  while (*at == ' ') ++at;
  uint64_t state, sent, received;
  at = read_hex(at, &state);
  if (*at != ' ' || state == listening) return 0;  // whose queues count connections
  at = read_hex(at + 1, &sent);
  if (*at != ':') return 0;
  read_hex(at + 1, &received);
  return weighed(sent, weight) + weighed(received, weight);
}

static uint64_t held_in(const struct Table* table) {
  uint64_t held = 0;
  size_t kept = 0;
  if (table->fd < 0 || lseek(table->fd, 0, SEEK_SET) != 0) return 0;
  for (;;) {
    const ssize_t size = read(table->fd, bytes + kept, sizeof bytes - 1 - kept);
    if (size <= 0) return held;
    bytes[kept + (size_t)size] = '\0';
    char* line = bytes;
    for (char* end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
      *end = '\0';
      held += held_by(line, table->weight);
      line = end + 1;
    }
    kept = strlen(line);
    memmove(bytes, line, kept);
    if (kept == sizeof bytes - 1) return held;  // no line is so long
  }
}

static void look_again(int64_t now, int64_t began) {
  int64_t pause = (now - began) * cost_share;
  if (pause < pause_min_ms * ns_per_ms) pause = pause_min_ms * ns_per_ms;
  if (pause > pause_max_ms * ns_per_ms) pause = pause_max_ms * ns_per_ms;
  next_ns = now + pause;
}

bool sockets_exceed(void) {
  const int64_t began = now_ns();
  if (began < next_ns) return false;
  if (sockets_in_use() <= sockets_of_others) {
    next_ns = began + idle_pause_ms * ns_per_ms;
    return false;
  }
  uint64_t held = 0;
  for (int i = 0; i < table_count; ++i) held += held_in(&tables[i]);
  const uint64_t limit = memory_limit();
  bool exceeds = false;
  // The cheap number first: it has what the kernel would give back for the asking.
  if (held > 0 && memory_used(used_with_cache) + held > limit) {
    exceeds = memory_used(used_without_cache) + held > limit;
  }
  if (exceeds) peak_bytes = limit;
  look_again(now_ns(), began);
  return exceeds;
}
