// The canary's eyes: tries to reach what must not be reachable and tells what came of it. A target
// is `<how>/<address>/<port>`; the answer is `<target> <errno>`, where 0 means that something was
// sent or has answered, and ETIMEDOUT that something was sent and nobody answered.
//
//   tcp      connects
//   udp      sends a datagram
//   spread   sends a datagram as programs send to many: from the interface's address
//   device   sends a datagram by a socket that is bound to the interface
//   pktinfo  sends a datagram that names the interface
//   unicast  sends a datagram by a socket that prefers the interface
//   link     sends a datagram as to who is on the link
//   loose    sends a datagram that shall pass a machine outside first
//   route    asks only whether a route leads there; nothing is sent
//
// From `spread` to `link` programs go past all routes. `gantry-holder reach <outside> <target>...`
// takes an address outside first.
#include "holder/modes.h"
#include "holder/tell.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_ms = 500 };

union Place {
  struct sockaddr any;
  struct sockaddr_in ipv4;
  struct sockaddr_in6 ipv6;
};

static union Place outside;
// The one that is not the loopback.
static struct {
  char name[IFNAMSIZ];
  uint32_t index;
} interface;

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
  place->ipv6.sin6_scope_id = strncmp(address, "fe80:", 5) == 0 ? interface.index : 0;
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
  union Place self;
  socklen_t size = sizeof self;
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

static int try_device(int fd, const union Place* place) {
  // A kernel that forbids this to programs is closed there.
  const int error =
      errno_of(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.name, sizeof interface.name));
  return error != 0 ? error : try_udp(fd, place);
}

static int try_pktinfo(int fd, const union Place* place) {
  struct {
    struct cmsghdr header;
    struct in_pktinfo info;
  } named = {.header = {.cmsg_len = CMSG_LEN(sizeof named.info),
                        .cmsg_level = IPPROTO_IP,
                        .cmsg_type = IP_PKTINFO},
             .info = {.ipi_ifindex = (int)interface.index}};
  union Place to = *place;
  struct iovec word = {.iov_base = "x", .iov_len = 1};
  const struct msghdr message = {.msg_name = &to.any,
                                 .msg_namelen = size_of(place),
                                 .msg_iov = &word,
                                 .msg_iovlen = 1,
                                 .msg_control = &named,
                                 .msg_controllen = sizeof named};
  return errno_of((int)sendmsg(fd, &message, 0));
}

static int try_unicast(int fd, const union Place* place) {
  enum { unicast_interface = 50 };
  const uint32_t index = htonl(interface.index);
  const int error = errno_of(setsockopt(fd, IPPROTO_IP, unicast_interface, &index, sizeof index));
  return error != 0 ? error : try_udp(fd, place);
}

static int try_link(int fd, const union Place* place) {
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_DONTROUTE, &yes, sizeof yes);
  return try_device(fd, place);
}

static int try_loose(int fd, const union Place* place) {
  enum { no_operation = 1, loose_route = 0x83, length = 7, pointer = 4 };
  unsigned char option[8] = {no_operation, loose_route, length, pointer};
  memcpy(option + 4, &outside.ipv4.sin_addr, 4);
  const int error = errno_of(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option, sizeof option));
  return error != 0 ? error : try_udp(fd, place);
}

static const struct {
  const char* name;
  int type;
  int (*run)(int fd, const union Place* place);
} ways[] = {{"tcp", SOCK_STREAM, try_tcp},        {"udp", SOCK_DGRAM, try_udp},
            {"spread", SOCK_DGRAM, try_spread},   {"device", SOCK_DGRAM, try_device},
            {"pktinfo", SOCK_DGRAM, try_pktinfo}, {"unicast", SOCK_DGRAM, try_unicast},
            {"link", SOCK_DGRAM, try_link},       {"loose", SOCK_DGRAM, try_loose},
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

static void find_interface(void) {
  enum { interfaces_max = 16 };
  struct ifreq all[interfaces_max];
  struct ifconf list = {.ifc_len = sizeof all, .ifc_req = all};
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCGIFCONF, &list) != 0) break_down("list the interfaces", errno);
  for (size_t i = 0; i < (size_t)list.ifc_len / sizeof *all; ++i) {
    if (strcmp(all[i].ifr_name, "lo") == 0) continue;
    memcpy(interface.name, all[i].ifr_name, sizeof interface.name);
    if (ioctl(fd, SIOCGIFINDEX, &all[i]) != 0) break_down("find the interface", errno);
    interface.index = (uint32_t)all[i].ifr_ifindex;
  }
  close(fd);
  if (interface.index == 0) break_down("find the interface", ENODEV);
}

int reach(int count, char** words) {
  if (count == 0 || !read_place(words[0], "53", &outside)) break_down("reach", EINVAL);
  find_interface();
  char** const targets = words + 1;
  for (int i = 0; i < count - 1; ++i) {
    char target[128];
    char number[16];
    snprintf(target, sizeof target, "%s", targets[i]);
    snprintf(number, sizeof number, " %d", try_target(target));
    tell(targets[i], number, (const char*)NULL);
  }
  tell("end", (const char*)NULL);
  return 0;
}
