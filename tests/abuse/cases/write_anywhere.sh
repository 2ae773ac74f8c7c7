# 42: writes wherever something might be writable. `say PATH` tries one.
say() {
  if (echo x >"$1/abuse.probe") 2>/dev/null; then echo "$1: OK"; else echo "$1: refused"; fi
}
for place in / /dev /etc /sys /sys/fs/cgroup /proc/sys /dev/shm /dev/mqueue /run /run/lock /var \
  /var/tmp /usr /bin /home /root /mnt /opt /srv /.gantry /proc /proc/self /data /lib; do
  if [ -d "$place" ]; then say "$place"; fi
done
