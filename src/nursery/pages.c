#include "nursery/pages.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  runs_max = 512,
  entries_at_once = 512,
  gap_max = 2,          // pages; a call costs about as much as copying them
  populate_write = 23,  // MADV_POPULATE_WRITE, newer than some headers
};

static const uint64_t page_present = 1ull << 63;

static struct Run {
  uintptr_t begin, end;
} runs[runs_max];
static size_t runs_count;

static void add_page(uintptr_t page, uintptr_t size, size_t first_run) {
  if (runs_count > first_run && page <= runs[runs_count - 1].end + gap_max * size) {
    runs[runs_count - 1].end = page + size;
  } else if (runs_count < runs_max) {
    runs[runs_count++] = (struct Run){page, page + size};
  }
}

// Never across the border of two mappings: what lies between could not be populated.
static void remember_mapping(int pagemap, uintptr_t begin, uintptr_t end) {
  const uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  const size_t first_run = runs_count;
  uint64_t entries[entries_at_once];
  for (uintptr_t at = begin; at < end; at += entries_at_once * size) {
    size_t count = (end - at) / size;
    if (count > entries_at_once) count = entries_at_once;
    const ssize_t got =
        pread(pagemap, entries, count * sizeof *entries, (off_t)(at / size * sizeof *entries));
    if (got < (ssize_t)(count * sizeof *entries)) return;
    for (size_t i = 0; i < count; ++i) {
      if (entries[i] & page_present) add_page(at + i * size, size, first_run);
    }
  }
}

void pages_remember(void) {
  FILE* maps = fopen("/proc/self/maps", "re");
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  char line[512];
  while (maps != NULL && pagemap >= 0 && fgets(line, sizeof line, maps) != NULL) {
    unsigned long begin, end;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3) continue;
    if (strcmp(rights, "rw-p") == 0) remember_mapping(pagemap, begin, end);
  }
  if (maps != NULL) fclose(maps);
  if (pagemap >= 0) close(pagemap);
}

void pages_make_own(void) {
  for (size_t i = 0; i < runs_count; ++i) {
    madvise((void*)runs[i].begin, runs[i].end - runs[i].begin, populate_write);
  }
}
