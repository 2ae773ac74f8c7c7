// Sentences without stdio and without allocation.
#pragma once

#include <stddef.h>

// Always terminated; what does not fit is cut off.
struct Text {
  char bytes[512];
  size_t size;
};

void text_add(struct Text* text, const char* words);

// Adds foreign bytes between quotes: unprintable ones become '?', and only the first 200 are shown.
void text_quote(struct Text* text, const char* bytes, size_t size);
