#include "init/text.h"

static void add_byte(struct Text* text, char byte) {
  if (text->size + 1 >= sizeof text->bytes) return;
  text->bytes[text->size++] = byte;
  text->bytes[text->size] = '\0';
}

void text_add(struct Text* text, const char* words) {
  while (*words != '\0') add_byte(text, *words++);
}

void text_quote(struct Text* text, const char* bytes, size_t size) {
  const size_t shown_max = 200;
  add_byte(text, '\'');
  for (size_t i = 0; i < size && i < shown_max; ++i) {
    const char byte = bytes[i];
    add_byte(text, byte >= ' ' && byte <= '~' ? byte : '?');
  }
  if (size > shown_max) text_add(text, "...");
  add_byte(text, '\'');
}
