// Writes the files of a program below the work folder, and nowhere else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Opens the work folder. Everything after this is relative to it, whatever happens to its path.
void files_open(const char* folder);

// Begins a file; `path` is as it came off the wire. A path that is not plainly inside the work
// folder, a mode other than 0644 or 0755, or a file that already exists ends init with an 'X'.
void file_begin(uint32_t mode, uint64_t size, const char* path, size_t path_size);
void file_append(const unsigned char* bytes, size_t size);
// True while announced bytes of a file are still to come.
bool file_unfinished(void);
