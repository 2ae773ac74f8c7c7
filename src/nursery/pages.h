// The pages of a booted interpreter that its copies will write to. A copy shares them until it
// writes; almost all of them are written to while an interpreter ends (it counts references in its
// objects), each by a page fault of its own. Copied in one go they cost half, and before a program
// comes that waits for them.
#pragma once

// Once, in the process that is to be copied: looks which pages there are.
void pages_remember(void);

// In a copy: makes them its own. Costs memory that it would need anyway; does nothing where the
// kernel can not (before Linux 5.14).
void pages_make_own(void);
