/* 1, 3, 7: burns processor time: `spin`, `spin threads`, `spin sessions`. */
#include "probe.h"

#include <pthread.h>

static void* burn(void* unused) {
  (void)unused;
  for (volatile uint64_t turn = 0;; ++turn) {
  }
}

int main(int count, char** words) {
  const char* mode = count > 1 ? words[1] : "alone";
  if (strcmp(mode, "threads") == 0) {
    pthread_t thread;
    for (int i = 0; i < 8; ++i) pthread_create(&thread, NULL, burn, NULL);
    hold();
  }
  if (strcmp(mode, "sessions") == 0) {
    for (int i = 0; i < 4; ++i) {
      if (fork() != 0) continue;
      setsid();
      burn(NULL);
    }
    hold();
  }
  burn(NULL);
}
