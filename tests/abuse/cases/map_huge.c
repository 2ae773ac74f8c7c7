/* 25: 1 TiB of addresses, none of them touched. */
#include "probe.h"

int main(void) {
  void* place = mmap(NULL, (size_t)1 << 40, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  report("1 TiB", place == MAP_FAILED ? -1 : 0);
}
