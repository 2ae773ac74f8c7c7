// The routes of a network namespace.
#pragma once

#include <stdint.h>

enum { loopback_index = 1 };

// Of IPv4, in network byte order.
struct Prefix {
  unsigned char address[4];
  uint8_t length;
};

// The machine that passes everything on, of IPv4, in network byte order.
struct Gateway {
  unsigned char address[4];
};

// From now on everything of IPv4 goes to the gateway, whose own address no route leads to, nor to
// `prefixes` nor to what is connected directly; of IPv6 nothing goes anywhere. Breaks down where
// that can not be had. Programs that name the interface go round it; see firewall.h.
struct Gateway routes_close(const struct Prefix* prefixes, int count);

// Every address that is this namespace's own, whatever the family.
typedef void (*OwnAddress)(int family, const unsigned char* address, uint8_t length);
void routes_own(OwnAddress own);
