// What the program left in a folder, as frames.
#pragma once

#include <stdint.h>

struct ArtifactLimits {
  uint32_t files_max;
  uint64_t bytes_max;  // of all files together
};

// Sends the regular files of `folder` (of the work folder) and answers how many entries that are
// no folders it did not send. Every process of the program is dead. Follows no symbolic link.
// Leaves init when nobody takes them until the moment has come.
uint32_t artifacts_send(const char* folder, const struct ArtifactLimits* limits,
                        int64_t deadline_ns);

// The same with 'H' frames, which know modes and folders, for what is wanted whole or not at all:
// ends at the first file that does not fit or folder that is too deep; a folder that is not there
// or can not be read is none. Then a 'Y' says so, and how much else was left out.
void folder_send(const char* folder, const struct ArtifactLimits* limits, int64_t deadline_ns);
