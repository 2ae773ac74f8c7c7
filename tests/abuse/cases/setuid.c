/* 48: a copy of itself that is root's and setuid, started by somebody who is not. */
#include "probe.h"

#include <grp.h>
#include <sys/sendfile.h>

static void start_as_nobody(const char* path) {
  if (fork() == 0) {
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) {
      say("drop: %s", errno_word(errno));
    }
    execl(path, path, "who", NULL);
    say("%s: %s", path, errno_word(errno));
    _exit(1);
  }
  wait(NULL);
}

int main(int count, char** words) {
  if (count > 1 && strcmp(words[1], "who") == 0) {
    say("%s euid: %s", words[0], geteuid() == 0 ? "OK" : "EPERM");
    return 0;
  }
  int from = open("/proc/self/exe", O_RDONLY);
  int to = open("./suid", O_WRONLY | O_CREAT, 0700);
  sendfile(to, from, NULL, 16 << 20);
  close(to);
  report("chown to root", chown("./suid", 0, 0));
  chmod("./suid", 04755);
  chmod(".", 0755);
  start_as_nobody("./suid");
  if (access("/suid", F_OK) == 0) start_as_nobody("/suid");
}
