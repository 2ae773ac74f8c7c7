// The nursery: PID 1 of the local executor's root. It keeps the privilege of making namespaces and
// bears, for each execution, a child that gives that privilege up and becomes gantry-init. It reads
// packets of the server only; no byte of a program ever reaches it.
#include "nursery/birth.h"
#include "nursery/serve.h"

#include <unistd.h>

int main(void) {
  static const char ready = 1;
  if (write(nursery_socket, &ready, 1) != 1) return 1;
  nursery_serve(nursery_socket);
}
