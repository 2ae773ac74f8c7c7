#pragma once

#include "init/text.h"

#include <stdint.h>

static inline void text_add_number(struct Text* text, uint64_t number) {
  char digits[24];
  char* at = digits + sizeof digits - 1;
  *at = '\0';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text_add(text, at);
}
