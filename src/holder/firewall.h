// What routes can not stop: broadcast and multicast go out by the interface a program names, and
// whoever knows the address may knock from outside.
#pragma once

// From now on only what goes to single addresses of IPv4 leaves, a bounded number of new
// connections per second, and only what belongs to a connection that began inside enters. Breaks
// down where the kernel has no nf_tables.
void firewall_close(void);
