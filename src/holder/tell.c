#include "holder/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { exit_broken = 70 };

void tell(const char* word, ...) {
  char line[512];
  size_t size = 0;
  va_list words;
  va_start(words, word);
  for (const char* next = word; next != NULL; next = va_arg(words, const char*)) {
    size_t length = strlen(next);
    if (length > sizeof line - 1 - size) length = sizeof line - 1 - size;
    memcpy(line + size, next, length);
    size += length;
  }
  va_end(words);
  line[size++] = '\n';
  (void)!write(STDOUT_FILENO, line, size);
}

void break_down(const char* what, int error) {
  tell("cannot ", what, ": ", strerror(error), (const char*)NULL);
  _exit(exit_broken);
}
