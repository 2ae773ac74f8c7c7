/* 15, 16, 20, 21: a process that wants to outlive its parent. `survivor daemon|holder|reaper|NAME`
 */
#include "probe.h"

#include <sys/prctl.h>

static void close_everything(void) {
  for (int i = 0; i < 256; ++i) close(i);
}

/* A sibling of its creator: CLONE_PARENT makes it its grandparent's child. */
static void sibling(void) {
  if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) != 0) return;
  setsid();
  close_everything();
  hold();
}

int main(int count, char** words) {
  const char* mode = count > 1 ? words[1] : "daemon";
  if (strcmp(mode, "reaper") == 0) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, 0);
  }
  if (fork() == 0) {
    setsid();
    signal(SIGHUP, SIG_IGN);
    if (strcmp(mode, "reaper") == 0) prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (strchr("dhr", mode[0]) == NULL) {
      prctl(PR_SET_NAME, mode);
      memset(words[0], 0, strlen(words[0]));
      memcpy(words[0], mode, strlen(mode) < strlen(words[0]) ? strlen(mode) : strlen(words[0]));
    }
    sibling();
    if (fork() != 0 && mode[0] != 'r') _exit(0);
    if (mode[0] != 'h') close_everything();
    hold();
  }
  usleep(50000);
  say("parent: leaves");
}
