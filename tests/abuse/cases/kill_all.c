/* 18: kills whoever it can reach. */
#include "probe.h"

int main(void) {
  signal(SIGTERM, SIG_IGN);
  report("kill 1 with 0", kill(1, 0));
  for (int number = 1; number <= 64; ++number) {
    if (number != SIGSTOP) kill(1, number);
  }
  kill(1, SIGSTOP);
  kill(-1, SIGSTOP);
  kill(-1, SIGKILL);
  kill(-1, SIGCONT);
  usleep(100000);
  say("attacker: lives");
}
