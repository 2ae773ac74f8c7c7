/* 32: objects that are the kernel's memory: sockets, pipes, event polls, directory entries. */
#include "probe.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { enough = 5000 };

static int one(int kind) {
  int pair[2];
  switch (kind) {
    case 0:
      return socket(AF_UNIX, SOCK_STREAM, 0);
    case 1:
      return pipe(pair);
    case 2:
      return epoll_create1(0);
    default:
      return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  }
}

int main(void) {
  static const char* names[] = {"sockets", "pipes", "epolls", "pairs"};
  struct rlimit more = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &more);
  for (int kind = 0; kind < 4; ++kind) {
    int made = 0;
    while (made < enough && one(kind) >= 0) ++made;
    say("%s: %d %s", names[kind], made, made < enough ? errno_word(errno) : "enough");
    for (int i = 3; i < 2 * enough + 10; ++i) close(i);
  }
  int made = 0;
  char name[32];
  while (made < 4 * enough) {
    snprintf(name, sizeof name, "d%d", made);
    if (mkdir(name, 0700) != 0) break;
    ++made;
  }
  say("entries: %d %s", made, made < 4 * enough ? errno_word(errno) : "enough");
}
