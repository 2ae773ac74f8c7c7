// How a program replaces the process that was forked for it.
#pragma once

// execvp; returns only when that failed. The nursery's interpreters bring another one.
void execute(char** arguments);
