// A container on a bridge has two routes: the network it is connected to, and the default by the
// gateway, which is the host. Afterwards it has the default, and unreachable ones. The gateway
// stays the next hop although no route leads to it: `onlink` says that it is a neighbour, and
// neighbours are found by ARP, not by routes.
#include "holder/routes.h"

#include "holder/netlink.h"
#include "holder/tell.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  link_set = 19,
  address_delete = 21,
  address_list = 22,
  route_new = 24,
  route_delete = 25,
  route_list = 26,
  type_unicast = 1,
  type_local = 2,
  type_broadcast = 3,
  type_unreachable = 7,
  table_main = 254,
  table_local = 255,
  protocol_static = 4,
  attribute_destination = 1,
  attribute_interface = 4,
  attribute_gateway = 5,
  attribute_priority = 6,
  onlink = 4,
  routes_max = 64,
};

struct RouteHeader {
  uint8_t family;
  uint8_t destination_length;
  uint8_t source_length;
  uint8_t service;
  uint8_t table;
  uint8_t protocol;
  uint8_t scope;
  uint8_t type;
  uint32_t flags;
};

struct Route {
  struct RouteHeader header;
  unsigned char destination[16];
  unsigned char gateway[4];
  uint32_t interface;
  uint32_t priority;
  int has_gateway;
};

struct Routes {
  struct Route all[routes_max];
  int count;
};

static size_t address_size(int family) { return family == AF_INET ? 4 : 16; }

static int read_route(uint16_t type, const unsigned char* payload, size_t size,
                      struct Route* route) {
  if (type != route_new || size < sizeof route->header) return 0;
  memset(route, 0, sizeof *route);
  memcpy(&route->header, payload, sizeof route->header);
  const size_t wide = address_size(route->header.family);
  const unsigned char* at = payload + sizeof route->header;
  struct Attribute attribute;
  while (next_attribute(&at, payload + size, &attribute)) {
    if (attribute.type == attribute_destination && attribute.size == wide) {
      memcpy(route->destination, attribute.data, wide);
    } else if (attribute.type == attribute_interface && attribute.size == 4) {
      memcpy(&route->interface, attribute.data, 4);
    } else if (attribute.type == attribute_priority && attribute.size == 4) {
      memcpy(&route->priority, attribute.data, 4);
    } else if (attribute.type == attribute_gateway) {
      route->has_gateway = 1;
      if (attribute.size == 4) memcpy(route->gateway, attribute.data, 4);
    }
  }
  return 1;
}

// Whether a program could send something by it to somebody else.
static int leads_out(const struct Route* route) {
  if (route->interface == loopback_index) return 0;
  if (route->header.table != table_local) return route->header.type != type_unreachable;
  return route->header.family == AF_INET && route->header.type == type_broadcast;
}

static void note_leading_out(uint16_t type, const unsigned char* payload, size_t size,
                             void* context) {
  struct Routes* routes = context;
  struct Route route;
  if (!read_route(type, payload, size, &route) || !leads_out(&route)) return;
  if (routes->count == routes_max) break_down("read the routes", E2BIG);
  routes->all[routes->count++] = route;
}

static int list_routes(int fd, int family, NetlinkEntry entry, void* context) {
  const struct RouteHeader header = {.family = (uint8_t)family};
  struct Message message = {.size = 0};
  message_begin(&message, route_list, netlink_dump, &header, sizeof header);
  message_end(&message);
  return netlink_list(fd, &message, entry, context);
}

static void must(int error, const char* what) {
  if (error != 0) break_down(what, error);
}

static void delete_route(int fd, const struct Route* route) {
  struct RouteHeader header = route->header;
  const size_t wide = address_size(header.family);
  header.flags = 0;
  struct Message message = {.size = 0};
  message_begin(&message, route_delete, netlink_acknowledge, &header, sizeof header);
  if (header.destination_length > 0) {
    message_add(&message, attribute_destination, route->destination, wide);
  }
  if (route->interface != 0) message_add_u32(&message, attribute_interface, route->interface);
  if (route->priority != 0) message_add_u32(&message, attribute_priority, route->priority);
  message_end(&message);
  const int error = netlink_talk(fd, &message);
  if (error != ESRCH) must(error, "remove a route");
}

static void add_unreachable(int fd, int family, const unsigned char* address, uint8_t length,
                            uint32_t priority) {
  const struct RouteHeader header = {.family = (uint8_t)family,
                                     .destination_length = length,
                                     .table = table_main,
                                     .protocol = protocol_static,
                                     .type = type_unreachable};
  struct Message message = {.size = 0};
  message_begin(&message, route_new, netlink_acknowledge | netlink_create | netlink_replace,
                &header, sizeof header);
  if (length > 0) message_add(&message, attribute_destination, address, address_size(family));
  if (priority != 0) message_add_u32(&message, attribute_priority, priority);
  message_end(&message);
  must(netlink_talk(fd, &message), "make addresses unreachable");
}

static void set_default(int fd, const struct Route* by) {
  const struct RouteHeader header = {.family = AF_INET,
                                     .table = table_main,
                                     .protocol = protocol_static,
                                     .type = type_unicast,
                                     .flags = onlink};
  struct Message message = {.size = 0};
  message_begin(&message, route_new, netlink_acknowledge | netlink_create | netlink_replace,
                &header, sizeof header);
  message_add(&message, attribute_gateway, by->gateway, sizeof by->gateway);
  message_add_u32(&message, attribute_interface, by->interface);
  message_end(&message);
  must(netlink_talk(fd, &message), "set the default route");
}

// Answers may come from addresses that no route leads to (the gateway's ARP and its word that a
// packet was too large), so they must not be judged by routes; and nobody tells us other routes.
static void forget_reverse_path(int fd, uint32_t interface) {
  enum { specific = 26, settings = 1, accept_redirects = 4, reverse_path_filter = 8 };
  const struct {
    uint8_t family;
    uint8_t padding;
    uint16_t type;
    uint32_t index;
    uint32_t flags;
    uint32_t change;
  } header = {.index = interface};
  struct Message message = {.size = 0};
  message_begin(&message, link_set, netlink_acknowledge, &header, sizeof header);
  const size_t all = message_nest(&message, specific);
  const size_t of_ipv4 = message_nest(&message, AF_INET);
  const size_t values = message_nest(&message, settings);
  message_add_u32(&message, accept_redirects, 0);
  message_add_u32(&message, reverse_path_filter, 0);
  message_end_nest(&message, values);
  message_end_nest(&message, of_ipv4);
  message_end_nest(&message, all);
  message_end(&message);
  must(netlink_talk(fd, &message), "switch the reverse path filter off");
}

static const struct Route* the_default(const struct Routes* routes) {
  const struct Route* found = NULL;
  for (int i = 0; i < routes->count; ++i) {
    const struct Route* route = &routes->all[i];
    if (route->header.destination_length > 0 || !route->has_gateway) continue;
    if (found != NULL) break_down("tell which of two default routes leads out", EEXIST);
    found = route;
  }
  if (found == NULL) break_down("find the default route", ENETUNREACH);
  return found;
}

static int is_ours(const struct Route* route, const struct Route* by) {
  return route->header.destination_length == 0 && route->interface == by->interface &&
         (route->header.flags & onlink) != 0 &&
         memcmp(route->gateway, by->gateway, sizeof by->gateway) == 0;
}

static struct Gateway close_ipv4(int fd, const struct Prefix* prefixes, int count) {
  static struct Routes before;
  static struct Routes after;
  must(list_routes(fd, AF_INET, note_leading_out, &before), "read the routes");
  const struct Route* by = the_default(&before);
  forget_reverse_path(fd, by->interface);
  set_default(fd, by);
  for (int i = 0; i < before.count; ++i) {
    const struct Route* route = &before.all[i];
    if (route == by) continue;
    delete_route(fd, route);
    add_unreachable(fd, AF_INET, route->destination, route->header.destination_length, 0);
  }
  for (int i = 0; i < count; ++i) {
    add_unreachable(fd, AF_INET, prefixes[i].address, prefixes[i].length, 0);
  }
  add_unreachable(fd, AF_INET, by->gateway, 32, 0);
  must(list_routes(fd, AF_INET, note_leading_out, &after), "read the routes again");
  if (after.count != 1 || !is_ours(&after.all[0], by)) break_down("close all routes", EBUSY);
  struct Gateway gateway;
  memcpy(gateway.address, by->gateway, sizeof gateway.address);
  return gateway;
}

static void delete_address(uint16_t type, const unsigned char* payload, size_t size,
                           void* context) {
  enum { address_new = 20, attribute_address = 1, link_prefix = 64 };
  struct {
    uint8_t family;
    uint8_t length;
    uint8_t flags;
    uint8_t scope;
    uint32_t interface;
  } header;
  if (type != address_new || size < sizeof header) return;
  memcpy(&header, payload, sizeof header);
  if (header.family != AF_INET6 || header.interface == loopback_index) return;
  const unsigned char* at = payload + sizeof header;
  struct Attribute attribute;
  while (next_attribute(&at, payload + size, &attribute)) {
    if (attribute.type != attribute_address) continue;
    struct Message message = {.size = 0};
    message_begin(&message, address_delete, netlink_acknowledge, &header, sizeof header);
    message_add(&message, attribute_address, attribute.data, attribute.size);
    message_end(&message);
    must(netlink_talk(*(const int*)context, &message), "remove an address of IPv6");
  }
}

// There is no IPv6 in here: no address but the loopback's, and no route.
static void close_ipv6(int fd) {
  enum { priority_first = 1, link_local_length = 64 };
  const int probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0 && errno == EAFNOSUPPORT) return;
  if (probe >= 0) close(probe);
  int second = netlink_open(netlink_route);  // the first is in the middle of a list
  if (second < 0) break_down("open a netlink socket", errno);
  const unsigned char header[8] = {AF_INET6};
  struct Message message = {.size = 0};
  message_begin(&message, address_list, netlink_dump, header, sizeof header);
  message_end(&message);
  must(netlink_list(fd, &message, delete_address, &second), "read the addresses of IPv6");
  close(second);

  static struct Routes routes;
  must(list_routes(fd, AF_INET6, note_leading_out, &routes), "read the routes of IPv6");
  for (int i = 0; i < routes.count; ++i) delete_route(fd, &routes.all[i]);
  static const unsigned char nowhere[16];
  static const unsigned char link_local[16] = {0xfe, 0x80};
  add_unreachable(fd, AF_INET6, nowhere, 0, priority_first);
  add_unreachable(fd, AF_INET6, link_local, link_local_length, priority_first);
}

struct Gateway routes_close(const struct Prefix* prefixes, int count) {
  const int fd = netlink_open(netlink_route);
  if (fd < 0) break_down("open a netlink socket", errno);
  const struct Gateway gateway = close_ipv4(fd, prefixes, count);
  close_ipv6(fd);
  close(fd);
  return gateway;
}

static void hand_out_own(uint16_t type, const unsigned char* payload, size_t size, void* context) {
  struct Route route;
  if (!read_route(type, payload, size, &route) || route.header.type != type_local) return;
  (*(OwnAddress*)context)(route.header.family, route.destination, route.header.destination_length);
}

void routes_own(OwnAddress own) {
  const int fd = netlink_open(netlink_route);
  if (fd < 0) break_down("open a netlink socket", errno);
  must(list_routes(fd, AF_INET, hand_out_own, &own), "read the host's addresses");
  // A host without IPv6 has none of its addresses.
  (void)list_routes(fd, AF_INET6, hand_out_own, &own);
  close(fd);
}
