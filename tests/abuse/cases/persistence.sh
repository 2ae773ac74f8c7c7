# 43: leaves a marker wherever it can and looks for one that is there already. Run twice.
found=no
for place in / /tmp /box /dev /dev/shm /dev/mqueue /run /var/tmp /var /etc /home /root /data; do
  if [ -e "$place/abuse.marker" ]; then found=OK; fi
  (echo "$place" >"$place/abuse.marker") 2>/dev/null
done
echo "marker of another: $found"
