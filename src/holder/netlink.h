// Messages to the kernel's network configuration (netlink). The constants and structures are those
// of <linux/rtnetlink.h> and <linux/netfilter/nf_tables.h>, which musl does not bring along.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum NetlinkProtocol { netlink_route = 0, netlink_netfilter = 12 };

enum NetlinkFlag {
  netlink_request = 0x1,
  netlink_acknowledge = 0x4,
  netlink_replace = 0x100,
  netlink_dump = 0x300,
  netlink_create = 0x400,
  netlink_append = 0x800,
};

enum { attribute_nested = 0x8000 };

// One or more messages as they go over the socket. What does not fit ends the program.
struct Message {
  unsigned char bytes[16384];
  size_t size;
  size_t at;          // where the message begins that is being written
  uint32_t sequence;  // of that message
};

// An attribute of a message that was received.
struct Attribute {
  uint16_t type;
  size_t size;
  const unsigned char* data;
};

// Returns the socket, or -1 with errno.
int netlink_open(enum NetlinkProtocol protocol);

void message_begin(struct Message* message, uint16_t type, uint16_t flags, const void* header,
                   size_t header_size);
void message_add(struct Message* message, uint16_t type, const void* data, size_t size);
void message_add_text(struct Message* message, uint16_t type, const char* text);
void message_add_u32(struct Message* message, uint16_t type, uint32_t value);
void message_add_be32(struct Message* message, uint16_t type, uint32_t value);
// Attributes that follow are inside of this one until `message_end_nest` of what it returns.
size_t message_nest(struct Message* message, uint16_t type);
void message_end_nest(struct Message* message, size_t nest);
void message_end(struct Message* message);

// Sends all of it and waits for the kernel's word. Returns 0 or an errno.
int netlink_talk(int fd, const struct Message* message);
// Asks for a list and hands out its entries. Returns 0 or an errno.
typedef void (*NetlinkEntry)(uint16_t type, const unsigned char* payload, size_t size,
                             void* context);
int netlink_list(int fd, const struct Message* message, NetlinkEntry entry, void* context);

// Reads the next attribute of [*at, end); 0 at the end.
int next_attribute(const unsigned char** at, const unsigned char* end, struct Attribute* attribute);
