// What a hostile or broken program does, on request. Run by the tests under gantry-init; the output
// says what the system let it do.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void list_descriptors(void) {
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
  }
}

static void look_into_init(void) {
  static const char* const doors[] = {"/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/mem",
                                      "/proc/1/environ", "/proc/1/maps"};
  for (size_t i = 0; i < sizeof doors / sizeof doors[0]; ++i) {
    const int fd = open(doors[i], O_RDWR | O_NONBLOCK);
    const int reading = open(doors[i], O_RDONLY | O_NONBLOCK);
    printf("%s\n", fd < 0 && reading < 0 ? "refused" : doors[i]);
  }
}

static void trace_init(void) {
  const long attached = ptrace(PTRACE_ATTACH, 1, 0, 0);
  printf("%s", attached < 0 && errno == EPERM ? "refused" : "attached");
}

static void shoot_at_everybody(void) {
  kill(-1, SIGKILL);
  kill(1, SIGKILL);
  kill(1, SIGSTOP);
  kill(1, SIGTERM);
  kill(1, SIGSEGV);
  printf("alive");
}

// Fills the buffers of UDP sockets with about 4 MiB, says so and stays.
static void fill_sockets(void) {
  static char block[16384];
  long sent = 0;
  for (int i = 0; i < 100 && sent < 4 << 20; ++i) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr*)&own, size) != 0) break;
    getsockname(fd, (struct sockaddr*)&own, &size);
    for (int turn = 0; turn < 10; ++turn) {
      const ssize_t some =
          sendto(fd, block, sizeof block, MSG_DONTWAIT, (struct sockaddr*)&own, size);
      if (some > 0) sent += some;
    }
  }
  printf("%s", sent >= 4 << 20 ? "full" : "not full");
  fflush(stdout);
  // tidy: sleep because it is to hold what is in the sockets for a while
  sleep(1);
}

static void spin(void) {
  for (volatile uint64_t turns = 0;; ++turns) continue;
}

static void spin_out_of_sight(void) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) spin();
    _exit(0);
  }
  pause();
}

static void leave_an_orphan_with_the_pipes(void) {
  if (fork() == 0) {
    setsid();
    for (;;) pause();
  }
  printf("parent done");
}

static void pester_init(void) {
  for (;;) kill(1, SIGCHLD);
}

static void breed_orphans(void) {
  for (;;) {
    const pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) _exit(0);
      _exit(0);
    }
    if (child > 0) waitpid(child, NULL, 0);
  }
}

static void stop_own_group(void) { kill(0, SIGSTOP); }

static void show_inheritance(void) {
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, NULL, &blocked);
  struct sigaction pipe_action;
  sigaction(SIGPIPE, NULL, &pipe_action);
  const mode_t mask = umask(0);
  printf("blocked=%d sigpipe=%s session=%d umask=%o", sigismember(&blocked, SIGCHLD),
         pipe_action.sa_handler == SIG_DFL ? "default" : "changed", getsid(0) == getpid(),
         (unsigned)mask);
}

static void write_a_megabyte(void) {
  static char block[65536];
  const int fd = open("large", O_WRONLY | O_CREAT, 0600);
  long long written = 0;
  for (int i = 0; i < 16; ++i) {
    const ssize_t size = write(fd, block, sizeof block);
    if (size > 0) written += size;
  }
  printf("%lld", written);
}

static void act_as(const char* name);

static const char* next_text(const char** at) {
  const char* text = *at;
  *at += strlen(text) + 1;
  return text;
}

// An interpreter that waits: says that it is up, becomes the program it is told, and shows its
// arguments but the first and its variables.
static void wait_for_program(void) {
  static char message[1 << 19];
  unsigned char head[4];
  if (write(3, "!", 1) != 1 || recv(3, head, 4, MSG_WAITALL) != 4) return;
  const uint32_t size = (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
  if (recv(3, message, size, MSG_WAITALL) != (ssize_t)size) return;
  close(3);
  const char* at = message;
  const int arguments = atoi(next_text(&at));
  const char* name = next_text(&at);
  for (int i = 1; i < arguments; ++i) printf("[%.20s]", next_text(&at));
  for (int left = atoi(next_text(&at)); left > 0; --left) printf("{%.40s}", next_text(&at));
  if (at != message + size) printf("rest");
  act_as(name);
}

static void say_and_leave(void) { (void)!write(3, "!", 1); }

static void say_too_much(void) {
  (void)!write(3, "!!", 2);
  pause();
}

// Waits for nothing: takes the channel's bytes and keeps it open.
static void keep_the_channel(void) {
  char bytes[4096];
  (void)!write(3, "!", 1);
  ssize_t all = 0;
  for (ssize_t size; (size = read(3, bytes, sizeof bytes)) > 0;) all += size;
  printf("%zd bytes and the end", all);
}

static void deafen(void) {
  (void)!write(3, "!", 1);
  pause();
}

// Ends by SIGKILL alone.
static void heed_nothing(void) {
  signal(SIGHUP, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  for (;;) pause();
}

// Becomes a program without the variables that it was started with, and leaves a daemon that has
// them.
static void shed_the_variables(void) {
  if (fork() == 0) {
    setsid();
    for (;;) pause();
  }
  char* const arguments[] = {(char*)"probe", (char*)"heed-nothing", NULL};
  char* const variables[] = {NULL};
  execve("/proc/self/exe", arguments, variables);
}

static void spin_before_and_wait(void) {
  const clock_t end = clock() + CLOCKS_PER_SEC;
  while (clock() < end) continue;
  wait_for_program();
}

static const struct {
  const char* name;
  void (*act)(void);
} acts[] = {
    {"descriptors", list_descriptors},
    {"look-into-init", look_into_init},
    {"trace-init", trace_init},
    {"shoot-at-everybody", shoot_at_everybody},
    {"fill-sockets", fill_sockets},
    {"spin", spin},
    {"spin-out-of-sight", spin_out_of_sight},
    {"orphan", leave_an_orphan_with_the_pipes},
    {"pester-init", pester_init},
    {"breed-orphans", breed_orphans},
    {"stop", stop_own_group},
    {"inheritance", show_inheritance},
    {"write-a-megabyte", write_a_megabyte},
    {"wait", wait_for_program},
    {"spin-and-wait", spin_before_and_wait},
    {"say-and-leave", say_and_leave},
    {"say-too-much", say_too_much},
    {"keep-the-channel", keep_the_channel},
    {"deafen", deafen},
    {"heed-nothing", heed_nothing},
    {"shed-the-variables", shed_the_variables},
};

static void act_as(const char* name) {
  for (size_t i = 0; i < sizeof acts / sizeof acts[0]; ++i) {
    if (strcmp(name, acts[i].name) == 0) acts[i].act();
  }
}

int main(int argc, char** argv) {
  for (size_t i = 0; argc == 2 && i < sizeof acts / sizeof acts[0]; ++i) {
    if (strcmp(argv[1], acts[i].name) != 0) continue;
    acts[i].act();
    return fflush(stdout) == 0 ? 0 : 1;
  }
  fprintf(stderr, "usage: gantry-init-probe ACT\n");
  return 2;
}
