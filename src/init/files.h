// Writes the files of a program below the work folder, and nowhere else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { path_max = 4095, component_max = 255 };

// Opens the work folder. Everything after this is relative to it, whatever happens to its path.
void files_open(const char* folder);

// For reading what the program left there.
int files_work_folder(void);

// Why a path is not plainly inside the folder it is relative to; NULL when it is.
const char* fault_of_path(const char* bytes, size_t size);

// Begins a file, or makes a folder; `path` is as it came off the wire. A path that is not plainly
// inside the work folder, a mode that is not of enum FileMode, or a file that already exists ends
// init with an 'X'.
void file_begin(uint32_t mode, uint64_t size, const char* path, size_t path_size);
void file_append(const unsigned char* bytes, size_t size);
// True while announced bytes of a file are still to come.
bool file_unfinished(void);
