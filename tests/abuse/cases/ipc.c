/* 29: leaves System V objects for the next one, and POSIX queues. Run twice. */
#include "probe.h"

#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { key = 0x47414e54 };

int main(void) {
  say("shm of another: %s", shmget(key, 4096, 0600) >= 0 ? "OK" : errno_word(errno));
  say("sem of another: %s", semget(key, 1, 0600) >= 0 ? "OK" : errno_word(errno));
  say("msg of another: %s", msgget(key, 0600) >= 0 ? "OK" : errno_word(errno));
  shmget(key, 4096, IPC_CREAT | 0600);
  semget(key, 1, IPC_CREAT | 0600);
  msgget(key, IPC_CREAT | 0600);
  struct {
    long flags, max, size, count, rest[4];
  } wishes = {.max = 10, .size = 8192};
  report("mq_open", syscall(SYS_mq_open, "abuse", O_CREAT | O_RDWR, 0600, &wishes));
  report("mq file", open("/dev/mqueue/abuse-file", O_CREAT | O_RDWR, 0600));
}
