/* 51, 52, 53, 58: output without an end. `flood out|err|both|bytes|line` */
#include "probe.h"

int main(int count, char** words) {
  const char* mode = count > 1 ? words[1] : "out";
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  if (strcmp(mode, "line") != 0) {
    for (size_t i = 79; i < sizeof block; i += 80) block[i] = '\n';
  }
  if (strcmp(mode, "bytes") == 0) {
    for (int i = 0; i < 50000; ++i) {
      if (write(1 + i % 2, block, 1) < 0) return 1;
    }
    return 0;
  }
  for (;;) {
    if (strcmp(mode, "err") != 0 && write(1, block, sizeof block) < 0) return 1;
    if (mode[0] == 'e' && write(2, block, sizeof block) < 0) return 1;
    if (mode[0] == 'b' && write(2, block, sizeof block) < 0) return 1;
  }
}
