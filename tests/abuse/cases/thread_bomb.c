/* 14: as many threads as it gets. */
#include "probe.h"

#include <pthread.h>

enum { enough = 400 };

static void* wait_for_ever(void* unused) {
  (void)unused;
  hold();
  return NULL;
}

int main(void) {
  int made = 0;
  pthread_t thread;
  int refused = 0;
  while (made < enough && (refused = pthread_create(&thread, NULL, wait_for_ever, NULL)) == 0) {
    ++made;
  }
  say("threads: %d %s", made, refused != 0 ? errno_word(refused) : "enough");
  hold();
}
