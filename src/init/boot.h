// From a process that is PID 1 to a gantry-init that serves: what main() and the nursery share.
#pragma once

// Serves one sandbox over fds 0 and 1 and exits. The caller is PID 1 of its namespace, has fd 2 as
// well, and no descriptor beyond those that accounting_adopt() was given.
_Noreturn void boot(const char* work_folder);
