#include "nursery/serve.h"

#include "nursery/newborn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { exit_over = 0, exit_confused = 64 };

static struct Filter filter;

union Packet {
  uint32_t kind;
  struct Birth birth;
  struct {
    uint32_t kind;
    struct Instruction instructions[filter_instructions_max];
  } filter;
};

struct Delivery {
  union Packet packet;
  size_t size;
  int descriptors[birth_descriptors_max];
  uint32_t count;
};

static struct Delivery delivery;

static _Noreturn void leave(int code) { _exit(code); }

static void take_descriptors(struct msghdr* message) {
  delivery.count = 0;
  for (struct cmsghdr* part = CMSG_FIRSTHDR(message); part != NULL;
       part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t bytes = part->cmsg_len - CMSG_LEN(0);
    memcpy(delivery.descriptors, CMSG_DATA(part), bytes);
    delivery.count = (uint32_t)(bytes / sizeof(int));
  }
}

// Ends the nursery with the socket.
static void receive(int socket) {
  union {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(birth_descriptors_max * sizeof(int))];
  } control;
  struct iovec into = {.iov_base = &delivery.packet, .iov_len = sizeof delivery.packet};
  struct msghdr message = {
      .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t size;
  do {
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) leave(exit_over);
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) leave(exit_confused);
  delivery.size = (size_t)size;
  take_descriptors(&message);
}

// False, with errno, when it could not be said.
static bool answer(int socket, int error, int pidfd) {
  const struct BirthAnswer words = {.error = error};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.bytes = {0}};
  struct iovec from = {.iov_base = (void*)&words, .iov_len = sizeof words};
  struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};
  if (pidfd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof pidfd);
    memcpy(CMSG_DATA(part), &pidfd, sizeof pidfd);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

// A descriptor in flight counts against the user, also those that programs of the same user keep
// in flight (ETOOMANYREFS): one birth fails then, and those that wait and run live on.
static void answer_birth(int socket, int error, int pidfd) {
  if (answer(socket, error, pidfd)) return;
  if (pidfd < 0) leave(exit_over);
  const int cause = errno;
  syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  if (!answer(socket, cause, -1)) leave(exit_over);
}

// As clone(2) with these flags and no stack: both go on here, each with its own memory.
static pid_t clone_child(uint32_t flags, int* pidfd) {
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } arguments = {.flags = CLONE_PIDFD | CLONE_NEWPID, .exit_signal = SIGCHLD};
  arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
  if (flags & birth_user_namespace) arguments.flags |= CLONE_NEWUSER;
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void bear(int socket) {
  const struct Birth* birth = &delivery.packet.birth;
  if (delivery.size != sizeof *birth || birth->descriptors != delivery.count ||
      delivery.count > birth_descriptors_max) {
    leave(exit_confused);
  }
  int pidfd = -1;
  const pid_t child = clone_child(birth->flags, &pidfd);
  if (child == 0) grow_up(birth, delivery.descriptors, &filter);
  const int error = child < 0 ? errno : 0;
  for (uint32_t i = 0; i < delivery.count; ++i) close(delivery.descriptors[i]);
  answer_birth(socket, error, pidfd);
  if (pidfd >= 0) close(pidfd);
}

static void take_filter(void) {
  const size_t bytes = delivery.size - sizeof(uint32_t);
  if (bytes == 0 || bytes % sizeof(struct Instruction) != 0) leave(exit_confused);
  filter.count = (unsigned short)(bytes / sizeof(struct Instruction));
  memcpy(filter.instructions, delivery.packet.filter.instructions, bytes);
}

// As many as it may: what is in flight is counted against this limit.
static void raise_open_files(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void nursery_serve(int socket) {
  raise_open_files();
  // Children are watched through their pidfds, by the server; nobody waits for them.
  struct sigaction reap_by_itself = {.sa_handler = SIG_IGN, .sa_flags = SA_NOCLDWAIT};
  sigaction(SIGCHLD, &reap_by_itself, NULL);
  for (;;) {
    receive(socket);
    if (delivery.size < sizeof delivery.packet.kind) leave(exit_confused);
    switch (delivery.packet.kind) {
      case packet_filter:
        take_filter();
        break;
      case packet_birth:
        if (filter.count == 0) leave(exit_confused);
        bear(socket);
        break;
      default:
        leave(exit_confused);
    }
  }
}
