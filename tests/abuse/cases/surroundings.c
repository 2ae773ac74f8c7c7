/* 69: the way to the engine, and whose namespaces these are. */
#include "probe.h"

int main(void) {
  static const char* paths[] = {"/var/run/docker.sock",
                                "/run/docker.sock",
                                "/run/containerd/containerd.sock",
                                "/run/podman/podman.sock",
                                "/run/secrets",
                                "/var/lib/docker",
                                "/var/run/secrets/kubernetes.io",
                                "/host",
                                "/dev/kvm",
                                "/dev/sda",
                                "/dev/vda",
                                "/dev/fuse"};
  static const char* kinds[] = {"net", "ipc", "uts", "pid", "cgroup", "mnt", "user", "time"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    report(paths[i], access(paths[i], F_OK));
  }
  char link[64];
  char target[64];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    snprintf(link, sizeof link, "/proc/self/ns/%s", kinds[i]);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) length = 0;
    target[length] = '\0';
    say("fact ns %s", target);
  }
}
