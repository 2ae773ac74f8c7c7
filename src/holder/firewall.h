// What routes can not stop: a program that names the interface goes past them, to neighbours as to
// many at once, and whoever knows the address may knock from outside.
#pragma once

#include "holder/routes.h"

// From now on only what the gateway shall pass on leaves, to single addresses of IPv4, a bounded
// number of new connections per second, and only what belongs to a connection that began inside
// enters. Breaks down where the kernel has no nf_tables.
void firewall_close(const struct Gateway* gateway);
