/* 56: says what our own parts say to each other, then leaves with 3. */
#include "probe.h"

/* A verdict of gantry-init as it goes over the wire: cause 0, exit code 0. */
static const unsigned char verdict[5 + 58] = {'V', 0, 0, 0, 58, 2};
/* A header of the engine's stream: standard output, 4 GiB to come. */
static const unsigned char header[] = {1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};

static void write_both(int file) {
  if (write(file, header, sizeof header) < 0) return;
  if (write(file, verdict, sizeof verdict) < 0) return;
}

int main(void) {
  report("/proc/1/fd/1", open("/proc/1/fd/1", O_WRONLY));
  report("/proc/1/fd/0", open("/proc/1/fd/0", O_RDONLY));
  report("/proc/1/mem", open("/proc/1/mem", O_RDWR));
  for (int file = 1; file < 64; ++file) {
    if (fcntl(file, F_GETFD) >= 0) write_both(file);
  }
  say("{\"verdict\":\"ok\",\"exit_code\":0}");
  say("event: verdict\ndata: {\"verdict\":\"ok\"}\n");
  return 3;
}
