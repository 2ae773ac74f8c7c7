// gantry-holder: keeps a network namespace whose programs reach the outside and nothing else, tells
// whether it does, and which addresses the host has. Three modes, each alone in a container:
//
//   gantry-holder hold <prefix>...    sets it up, says `ready`, gives up what it may, and waits
//   gantry-holder reach <outside> <target>...   tells what comes of trying each target, without any
//                                     privilege; <outside> is an address that must be in reach
//   gantry-holder survey              tells the host's own addresses; in the host's namespace
#include "holder/modes.h"
#include "holder/tell.h"

#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

static const struct {
  const char* name;
  int (*run)(int count, char** words);
} modes[] = {{"hold", hold}, {"reach", reach}, {"survey", survey}};

int main(int argc, char** argv) {
  enum { exit_usage = 64 };
  prctl(PR_SET_DUMPABLE, 0);
  for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; ++i) {
    if (strcmp(argv[1], modes[i].name) == 0) return modes[i].run(argc - 2, argv + 2);
  }
  tell("gantry-holder is started by gantry only", (const char*)NULL);
  return exit_usage;
}
