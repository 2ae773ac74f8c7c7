/* 50: devices of its own, another root. */
#include "probe.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>

int main(void) {
  report("mknod block", mknod("disk", S_IFBLK | 0600, makedev(7, 0)));
  report("mknod char", mknod("memory", S_IFCHR | 0600, makedev(1, 1)));
  mkdir("place", 0700);
  report("mount tmpfs", mount("none", "place", "tmpfs", 0, NULL));
  report("mount proc", mount("none", "place", "proc", 0, NULL));
  report("bind mount", mount("/", "place", NULL, MS_BIND, NULL));
  report("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
  report("umount /box", umount2("/box", MNT_DETACH | UMOUNT_NOFOLLOW));
  report("pivot_root", syscall(SYS_pivot_root, ".", "."));
  report("chroot", chroot("."));
}
