/* 3: sixty processes want the processor that gantry-init needs to end them. */
#include "probe.h"

int main(void) {
  for (int i = 0; i < 59; ++i) {
    if (fork() == 0) break;
  }
  for (;;) {
  }
}
