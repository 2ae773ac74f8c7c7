/* 32: memory of the kernel in the buffers of connections to itself. `socket_buffers tcp|udp|unix
 * MIB` */
#include "probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { workers = 24, pairs = 400 };
/* Of linux/sock_diag.h: what a socket has received, the first of nine numbers. */
enum { memory_numbers = 9, received_bytes = 0 };
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

static int pair_of(const char* kind, int pair[2]) {
  if (kind[1] == 'n') return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  int type = kind[0] == 't' ? SOCK_STREAM : SOCK_DGRAM;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof own;
  int door = socket(AF_INET, type, 0);
  if (door < 0 || bind(door, (struct sockaddr*)&own, size) != 0) return -1;
  getsockname(door, (struct sockaddr*)&own, &size);
  if (type == SOCK_STREAM && listen(door, 1) != 0) return -1;
  pair[0] = socket(AF_INET, type, 0);
  if (pair[0] < 0 || connect(pair[0], (struct sockaddr*)&own, size) != 0) return -1;
  pair[1] = type == SOCK_STREAM ? accept(door, NULL, NULL) : door;
  if (type == SOCK_STREAM) close(door);
  return pair[1] < 0 ? -1 : 0;
}

/* What datagrams wait: those that found no room were sent all the same. */
static long waiting(int fd) {
  unsigned memory[memory_numbers];
  socklen_t size = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return 0;
  return memory[received_bytes];
}

static long fill(const char* kind, long wanted) {
  static char block[32768];
  long written = 0;
  for (int i = 0; i < pairs && written < wanted; ++i) {
    int pair[2];
    if (pair_of(kind, pair) != 0) break;
    int most = 16 << 20;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
    setsockopt(pair[1], SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
    int datagrams = kind[0] == 'u' && kind[1] == 'd';
    for (int end = 0; end < (datagrams ? 1 : 2); ++end) {
      for (int turn = 0; turn < 256 && written < wanted; ++turn) {
        ssize_t some = send(pair[end], block, sizeof block, MSG_DONTWAIT);
        if (some <= 0) break;
        if (!datagrams) written += some;
      }
    }
    if (datagrams) written += waiting(pair[1]);
  }
  return written;
}

int main(int count, char** words) {
  (void)count;
  long wanted = atol(words[2]) << 20;
  int results[2];
  if (pipe(results) != 0) return 1;
  long total = 0;
  for (int i = 0; i < workers; ++i) {
    if (fork() == 0) {
      long mine = fill(words[1], wanted / workers + 1);
      if (write(results[1], &mine, sizeof mine) < 0) _exit(1);
      hold();
    }
  }
  for (int i = 0; i < workers; ++i) {
    long some = 0;
    if (read(results[0], &some, sizeof some) == sizeof some) total += some;
  }
  say("buffered: %ld MiB", total >> 20);
  usleep(1000000);
  say("held: %ld MiB", total >> 20);
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
}
