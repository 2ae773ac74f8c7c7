/* 26: a stack without an end. */
#include "probe.h"

static int deeper(volatile char* above) {
  volatile char here[4096];
  here[0] = above[0];
  return deeper(here) + here[1];
}

int main(void) {
  volatile char first[1] = {0};
  return deeper(first);
}
