# 70: facts of the host that every program can read: a figure, not a promise.
for path in /proc/stat /proc/loadavg /proc/uptime /proc/meminfo /proc/vmstat /proc/diskstats \
  /proc/interrupts /proc/softirqs /proc/cpuinfo /proc/version /proc/cmdline /proc/config.gz \
  /proc/net/dev /proc/pressure/cpu /proc/modules /proc/kallsyms /proc/sys/kernel/random/boot_id \
  /sys/block /sys/class/net /sys/devices/system/cpu/vulnerabilities /proc/self/mountinfo; do
  if head -c 1 "$path" >/dev/null 2>&1 || ls "$path"/ >/dev/null 2>&1; then echo "fact $path"; fi
done
