#include "init/execute.h"

#include <unistd.h>

void execute(char** arguments) { execvp(arguments[0], arguments); }
