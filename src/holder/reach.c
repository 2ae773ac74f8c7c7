// The canary's eyes: tries to reach what must not be reachable and tells what came of it. A target
// is `<how>/<address>/<port>`; the answer is `<target> <errno>`, where 0 means that something was
// sent or has answered, and ETIMEDOUT that something was sent and nobody answered.
//
//   tcp     connects
//   udp     sends a datagram
//   spread  sends a datagram as programs send to many: by the interface they name, past all routes
//   route   asks only whether a route leads there; nothing is sent
#include "holder/modes.h"
#include "holder/tell.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_ms = 500 };

union Place {
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
};

static socklen_t size_of(const union Place* place) {
  return place->any.sa_family == AF_INET ? sizeof place->ipv4 : sizeof place->ipv6;
}

static int read_place(const char* address, const char* port, union Place* place) {
  memset(place, 0, sizeof *place);
  const uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));
  place->ipv4.sin_family = AF_INET;
  place->ipv4.sin_port = number;
  if (inet_pton(AF_INET, address, &place->ipv4.sin_addr) == 1) return 1;
  place->ipv6.sin6_family = AF_INET6;
  place->ipv6.sin6_port = number;
  // A link-local address means the interface that is not the loopback.
  place->ipv6.sin6_scope_id = strncmp(address, "fe80:", 5) == 0 ? 2 : 0;
  return inet_pton(AF_INET6, address, &place->ipv6.sin6_addr) == 1;
}

static int errno_of(int result) { return result < 0 ? errno : 0; }

static int try_tcp(int fd, const union Place* place) {
  fcntl(fd, F_SETFL, O_NONBLOCK);
  const int error = errno_of(connect(fd, &place->any, size_of(place)));
  // Refused by somebody is reached, too.
  if (error == ECONNREFUSED) return 0;
  if (error != EINPROGRESS) return error;
  struct pollfd connected = {.fd = fd, .events = POLLOUT};
  if (poll(&connected, 1, patience_ms) == 0) return ETIMEDOUT;
  int late = 0;
  socklen_t size = sizeof late;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &late, &size);
  return late == ECONNREFUSED ? 0 : late;
}

static int try_udp(int fd, const union Place* place) {
  return errno_of((int)sendto(fd, "x", 1, 0, &place->any, size_of(place)));
}

static int try_route(int fd, const union Place* place) {
  return errno_of(connect(fd, &place->any, size_of(place)));
}

// The source address says which interface: the kernel asks no route then.
static int try_spread(int fd, const union Place* place) {
  const int yes = 1;
  union Place outside;
  union Place self;
  socklen_t size = sizeof self;
  read_place("1.1.1.1", "53", &outside);
  const int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (other < 0 || connect(other, &outside.any, sizeof outside.ipv4) != 0 ||
      getsockname(other, &self.any, &size) != 0) {
    return EINVAL;
  }
  close(other);
  self.ipv4.sin_port = 0;
  if (bind(fd, &self.any, sizeof self.ipv4) != 0) return EINVAL;
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  return try_udp(fd, place);
}

static const struct {
  const char* name;
  int type;
  int (*run)(int fd, const union Place* place);
} ways[] = {{"tcp", SOCK_STREAM, try_tcp},
            {"udp", SOCK_DGRAM, try_udp},
            {"spread", SOCK_DGRAM, try_spread},
            {"route", SOCK_DGRAM, try_route}};

static int try_target(char* target) {
  union Place place;
  const char* how = strtok(target, "/");
  const char* address = strtok(NULL, "/");
  const char* port = strtok(NULL, "/");
  if (port == NULL || !read_place(address, port, &place)) return EINVAL;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; ++i) {
    if (strcmp(how, ways[i].name) != 0) continue;
    const int fd = socket(place.any.sa_family, ways[i].type | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    const int error = ways[i].run(fd, &place);
    close(fd);
    return error;
  }
  return EINVAL;
}

int reach(int count, char** targets) {
  for (int i = 0; i < count; ++i) {
    char target[128];
    char number[16];
    snprintf(target, sizeof target, "%s", targets[i]);
    snprintf(number, sizeof number, " %d", try_target(target));
    tell(targets[i], number, (const char*)NULL);
  }
  tell("end", (const char*)NULL);
  return 0;
}
