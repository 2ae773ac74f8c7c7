# 44: what a collector must not follow, wait for or read to the end.
mkdir -p /box/out/folder && cd /box/out || exit 1
echo fine >fine.txt
echo inside >folder/inside.txt
ln -s /etc/passwd link
ln -s /proc/1/environ environ
ln -s /etc linked-folder
mkfifo fifo
ln fine.txt hard
ln /etc/passwd hard-to-passwd 2>/dev/null
ln -s /dev/zero zero
echo collected
