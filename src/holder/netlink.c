#include "holder/netlink.h"

#include "holder/tell.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { type_error = 2, type_done = 3, alignment = 4, patience_s = 5, heard_max = 65536 };

struct Address {
  uint16_t family;
  uint16_t padding;
  uint32_t port;
  uint32_t groups;
};

struct Header {
  uint32_t size;
  uint16_t type;
  uint16_t flags;
  uint32_t sequence;
  uint32_t port;
};

struct AttributeHeader {
  uint16_t size;
  uint16_t type;
};

static size_t aligned(size_t size) { return (size + alignment - 1) & ~(size_t)(alignment - 1); }

static void append(struct Message* message, const void* data, size_t size) {
  if (message->size + aligned(size) > sizeof message->bytes) {
    break_down("write a message to the kernel", EMSGSIZE);
  }
  if (size > 0) memcpy(message->bytes + message->size, data, size);
  memset(message->bytes + message->size + size, 0, aligned(size) - size);
  message->size += aligned(size);
}

int netlink_open(enum NetlinkProtocol protocol) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol);
  if (fd < 0) return -1;
  const struct timeval patience = {.tv_sec = patience_s};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

void message_begin(struct Message* message, uint16_t type, uint16_t flags, const void* header,
                   size_t header_size) {
  static uint32_t sequence;
  message->at = message->size;
  message->sequence = ++sequence;
  const struct Header begin = {
      .type = type, .flags = netlink_request | flags, .sequence = message->sequence};
  append(message, &begin, sizeof begin);
  append(message, header, header_size);
}

void message_add(struct Message* message, uint16_t type, const void* data, size_t size) {
  const struct AttributeHeader begin = {.size = (uint16_t)(sizeof begin + size), .type = type};
  append(message, &begin, sizeof begin);
  append(message, data, size);
}

void message_add_text(struct Message* message, uint16_t type, const char* text) {
  message_add(message, type, text, strlen(text) + 1);
}

void message_add_u32(struct Message* message, uint16_t type, uint32_t value) {
  message_add(message, type, &value, sizeof value);
}

void message_add_be32(struct Message* message, uint16_t type, uint32_t value) {
  const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                  (unsigned char)(value >> 8), (unsigned char)value};
  message_add(message, type, bytes, sizeof bytes);
}

size_t message_nest(struct Message* message, uint16_t type) {
  const size_t nest = message->size;
  message_add(message, type | attribute_nested, NULL, 0);
  return nest;
}

void message_end_nest(struct Message* message, size_t nest) {
  const uint16_t size = (uint16_t)(message->size - nest);
  memcpy(message->bytes + nest, &size, sizeof size);
}

void message_end(struct Message* message) {
  const uint32_t size = (uint32_t)(message->size - message->at);
  memcpy(message->bytes + message->at, &size, sizeof size);
}

static int send_all(int fd, const struct Message* message) {
  const struct Address kernel = {.family = AF_NETLINK};
  const ssize_t sent =
      sendto(fd, message->bytes, message->size, 0, (const struct sockaddr*)&kernel, sizeof kernel);
  return sent < 0 ? errno : 0;
}

// What a received message means for who waits: go on, or the end with an errno.
enum { go_on = -1 };

static int meaning_of(const struct Header* header, const unsigned char* payload, size_t size,
                      uint32_t last) {
  if (header->type != type_done && header->type != type_error) return go_on;
  int32_t error = header->type == type_done ? 0 : -EBADMSG;
  if (size >= sizeof error) memcpy(&error, payload, sizeof error);
  if (error != 0) return -error;
  return header->type == type_done || header->sequence == last ? 0 : go_on;
}

static int hear(int fd, uint32_t last, NetlinkEntry entry, void* context) {
  unsigned char heard[heard_max];  // of this list: `entry` may talk with the kernel meanwhile
  for (;;) {
    const ssize_t got = recv(fd, heard, sizeof heard, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    size_t at = 0;
    while (at + sizeof(struct Header) <= (size_t)got) {
      struct Header header;
      memcpy(&header, heard + at, sizeof header);
      if (header.size < sizeof header || header.size > (size_t)got - at) return EBADMSG;
      const unsigned char* payload = heard + at + sizeof header;
      const size_t size = header.size - sizeof header;
      const int meaning = meaning_of(&header, payload, size, last);
      if (meaning != go_on) return meaning;
      if (entry != NULL) entry(header.type, payload, size, context);
      at += aligned(header.size);
    }
  }
}

int netlink_talk(int fd, const struct Message* message) {
  const int error = send_all(fd, message);
  return error != 0 ? error : hear(fd, message->sequence, NULL, NULL);
}

int netlink_list(int fd, const struct Message* message, NetlinkEntry entry, void* context) {
  const int error = send_all(fd, message);
  return error != 0 ? error : hear(fd, message->sequence, entry, context);
}

int next_attribute(const unsigned char** at, const unsigned char* end,
                   struct Attribute* attribute) {
  struct AttributeHeader header;
  if ((size_t)(end - *at) < sizeof header) return 0;
  memcpy(&header, *at, sizeof header);
  if (header.size < sizeof header || header.size > (size_t)(end - *at)) return 0;
  attribute->type = header.type & (uint16_t)~attribute_nested;
  attribute->size = header.size - sizeof header;
  attribute->data = *at + sizeof header;
  const size_t step = aligned(header.size);
  *at += step < (size_t)(end - *at) ? step : (size_t)(end - *at);
  return 1;
}
