/* 5: a child stops its parent, then itself: nobody is left to be waited for. */
#include "probe.h"

int main(void) {
  if (fork() == 0) {
    kill(getppid(), SIGSTOP);
    raise(SIGSTOP);
  }
  hold();
}
