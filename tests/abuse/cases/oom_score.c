/* 36: lets the kernel kill others first. */
#include "probe.h"

static void set(const char* name, const char* path, const char* score) {
  int file = open(path, O_WRONLY);
  report(name, file < 0 ? file : write(file, score, strlen(score)));
}

int main(void) {
  set("lower", "/proc/self/oom_score_adj", "-500");
  set("lower by one", "/proc/self/oom_score_adj", "-1");
  set("raise PID 1's", "/proc/1/oom_score_adj", "1000");
}
