/* 71, 72: whom it can reach. `connect [NAME ADDRESS PORT] …`; each attempt waits 700 ms. What is of
   IPv4 is tried past the routes, too: a socket or a datagram that names the interface. */
#include "probe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static int fill(const char* text, int port, struct sockaddr_storage* to, socklen_t* size) {
  struct sockaddr_in* four = (struct sockaddr_in*)to;
  struct sockaddr_in6* six = (struct sockaddr_in6*)to;
  memset(to, 0, sizeof *to);
  if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    *size = sizeof *four;
    return AF_INET;
  }
  inet_pton(AF_INET6, text, &six->sin6_addr);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons((uint16_t)port);
  *size = sizeof *six;
  return AF_INET6;
}

static void try_tcp(const char* name, const char* address, int port) {
  struct sockaddr_storage to;
  socklen_t size = 0;
  int family = fill(address, port, &to, &size);
  int file = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (file < 0) return report(name, -1);
  int answer = connect(file, (struct sockaddr*)&to, size);
  if (answer != 0 && errno == EINPROGRESS) {
    struct pollfd ready = {file, POLLOUT, 0};
    errno = ETIMEDOUT;
    if (poll(&ready, 1, 700) == 1) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &length);
      errno = error;
      answer = error == 0 ? 0 : -1;
    }
  }
  report(name, answer);
  close(file);
}

/* Whether the kernel knows a way there at all; nothing is sent. */
static void try_route(const char* name, const char* address) {
  struct sockaddr_storage to;
  socklen_t size = 0;
  int family = fill(address, 53, &to, &size);
  int file = socket(family, SOCK_DGRAM, 0);
  report(name, connect(file, (struct sockaddr*)&to, size));
  close(file);
}

/* Past all routes: the address it is sent from says which interface. */
static void try_spread(const char* name, const char* address) {
  struct sockaddr_storage to;
  struct sockaddr_storage self;
  socklen_t size = 0;
  int yes = 1;
  int other = socket(AF_INET, SOCK_DGRAM, 0);
  fill("8.8.8.8", 53, &to, &size);
  if (connect(other, (struct sockaddr*)&to, size) != 0) return report(name, -1);
  getsockname(other, (struct sockaddr*)&self, &size);
  ((struct sockaddr_in*)&self)->sin_port = 0;
  int file = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(file, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  if (bind(file, (struct sockaddr*)&self, size) != 0) return report(name, -1);
  fill(address, 9, &to, &size);
  report(name, sendto(file, "x", 1, 0, (struct sockaddr*)&to, size) == 1 ? 0 : -1);
}

static void try_device(const char* name, const struct sockaddr_storage* to, socklen_t size) {
  int file = socket(AF_INET, SOCK_DGRAM, 0);
  int answer = setsockopt(file, SOL_SOCKET, SO_BINDTODEVICE, "eth0", sizeof "eth0");
  if (answer == 0) answer = sendto(file, "x", 1, 0, (const struct sockaddr*)to, size) == 1 ? 0 : -1;
  report(name, answer);
  close(file);
}

static void try_datagram(const char* name, const struct sockaddr_storage* to, socklen_t size) {
  int file = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_storage place = *to;
  struct {
    struct cmsghdr header;
    struct in_pktinfo info;
  } named = {{0}, {0}};
  named.header.cmsg_len = CMSG_LEN(sizeof named.info);
  named.header.cmsg_level = IPPROTO_IP;
  named.header.cmsg_type = IP_PKTINFO;
  named.info.ipi_ifindex = (int)if_nametoindex("eth0");
  struct iovec word = {"x", 1};
  struct msghdr message = {0};
  message.msg_name = &place;
  message.msg_namelen = size;
  message.msg_iov = &word;
  message.msg_iovlen = 1;
  message.msg_control = &named;
  message.msg_controllen = sizeof named;
  report(name, sendmsg(file, &message, 0) == 1 ? 0 : -1);
  close(file);
}

/* Linux takes what no route leads to for a neighbour when the program names the interface. */
static void try_past_routes(const char* name, const char* address, int port) {
  struct sockaddr_storage to;
  socklen_t size = 0;
  char way[128];
  if (if_nametoindex("eth0") == 0 || fill(address, port, &to, &size) != AF_INET) return;
  if (strncmp(address, "127.", 4) == 0) return; /* its own loopback */
  snprintf(way, sizeof way, "%s by device", name);
  try_device(way, &to, size);
  snprintf(way, sizeof way, "%s by datagram", name);
  try_datagram(way, &to, size);
}

int main(int count, char** words) {
  for (int i = 1; i + 2 < count; i += 3) {
    try_tcp(words[i], words[i + 1], atoi(words[i + 2]));
    try_past_routes(words[i], words[i + 1], atoi(words[i + 2]));
  }
  try_route("route to 8.8.8.8", "8.8.8.8");
  try_route("route to metadata", "169.254.169.254");
  try_route("route to 10.0.0.1", "10.0.0.1");
  try_route("route to 2001:4860:4860::8888", "2001:4860:4860::8888");
  try_spread("broadcast", "255.255.255.255");
  try_spread("multicast", "224.0.0.1");
  report("ping socket", socket(AF_INET, SOCK_DGRAM, 1));
}
