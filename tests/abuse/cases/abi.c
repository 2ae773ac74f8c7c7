/* 64: the same calls by other doors: those of 32-bit programs and of x32. */
#include "probe.h"

#include <sys/socket.h>

static long by_interrupt(long number, long first, long second, long third) {
  long answer = number;
  __asm__ volatile("int $0x80"
                   : "+a"(answer)
                   : "b"(first), "c"(second), "d"(third)
                   : "memory", "r8", "r9", "r10", "r11");
  return answer;
}

static long by_x32(long number, long first) {
  long answer = syscall(0x40000000 | number, first);
  return answer < 0 ? -errno : answer;
}

/* In a child: where there is no such door the answer is a signal. */
static void try_door(const char* name, long number, long first, long second) {
  pid_t child = fork();
  if (child == 0) {
    long answer = name[0] == 'i' ? by_interrupt(number, first, second, 0) : by_x32(number, first);
    if (answer < 0) errno = (int)-answer;
    report(name, answer < 0 ? -1 : 0);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) say("%s: signal %d", name, WTERMSIG(status));
}

int main(void) {
  uint32_t* words = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | 0x40 /* below 4 GiB */, -1, 0);
  words[0] = 38;
  words[1] = SOCK_SEQPACKET;
  try_door("i386 getpid", 20, 0, 0);
  try_door("i386 unshare", 310, CLONE_NEWUTS, 0);
  words[0] = AF_UNIX;
  words[1] = SOCK_STREAM;
  try_door("i386 socketcall", 102, 1, (long)words);
  try_door("i386 mount", 21, 0, 0);
  try_door("x32 getpid", 39, 0, 0);
  try_door("x32 unshare", 272, CLONE_NEWUTS, 0);
}
