// As nft would say it:
//
//   table inet gantry {
//     chain in {
//       type filter hook input priority 0; policy drop;
//       iif lo accept
//       ct state established,related accept
//     }
//     chain out {
//       type filter hook output priority 0; policy drop;
//       oif lo accept
//       ct state new limit rate over 200/second burst 400 packets drop
//       meta nfproto ipv4 @nh,0,8 0x45 ip daddr < 224.0.0.0 ip daddr != <gateway>
//         rt ip nexthop <gateway> accept
//     }
//     chain through {
//       type filter hook forward priority 0; policy drop;
//     }
//   }
//
// The next hop, because Linux takes what no route leads to for a neighbour on the link when the
// program names the interface (SO_BINDTODEVICE, IP_PKTINFO, IP_UNICAST_IF). 0x45, because a header
// of IPv4 that is longer has options, and these can name machines to pass.
#include "holder/firewall.h"

#include "holder/netlink.h"
#include "holder/routes.h"
#include "holder/tell.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  batch_begin = 0x10,
  batch_end = 0x11,
  subsystem = 10,
  new_table = subsystem << 8 | 0,
  new_chain = subsystem << 8 | 3,
  new_rule = subsystem << 8 | 6,
  family_inet = 1,
  family_ipv4 = 2,
  hook_input = 1,
  hook_forward = 2,
  hook_output = 3,
  verdict_drop = 0,
  verdict_accept = 1,
  register_verdict = 0,
  register_data = 1,
  compare_equal = 0,
  compare_unequal = 1,
  compare_less = 2,
  state_established = 2,
  state_related = 4,
  state_new = 8,
  rate_per_second = 200,
  rate_burst = 400,
};

static const char* const table = "gantry";
static const char* const chain_in = "in";
static const char* const chain_out = "out";
static const char* const chain_through = "through";

struct FilterHeader {
  uint8_t family;
  uint8_t version;
  uint16_t resource;
};

static const struct FilterHeader filter_header = {.family = family_inet};

static void add_batch_edge(struct Message* message, uint16_t type) {
  // Which subsystem the batch is for, big-endian.
  const struct FilterHeader header = {.family = AF_UNSPEC, .resource = subsystem << 8};
  message_begin(message, type, 0, &header, sizeof header);
  message_end(message);
}

static void add_table(struct Message* message) {
  enum { name = 1 };
  message_begin(message, new_table, netlink_create, &filter_header, sizeof filter_header);
  message_add_text(message, name, table);
  message_end(message);
}

static void add_chain(struct Message* message, const char* chain, uint32_t hook_number) {
  enum { of_table = 1, name = 3, hook = 4, policy = 5, type = 7, number = 1, priority = 2 };
  message_begin(message, new_chain, netlink_create, &filter_header, sizeof filter_header);
  message_add_text(message, of_table, table);
  message_add_text(message, name, chain);
  const size_t nest = message_nest(message, hook);
  message_add_be32(message, number, hook_number);
  message_add_be32(message, priority, 0);
  message_end_nest(message, nest);
  message_add_be32(message, policy, verdict_drop);
  message_add_text(message, type, "filter");
  message_end(message);
}

// A rule is a list of expressions; each fills or compares a register until one gives a verdict.
static size_t begin_rule(struct Message* message, const char* chain) {
  enum { of_table = 1, of_chain = 2, expressions = 4 };
  message_begin(message, new_rule, netlink_create | netlink_append | netlink_acknowledge,
                &filter_header, sizeof filter_header);
  message_add_text(message, of_table, table);
  message_add_text(message, of_chain, chain);
  return message_nest(message, expressions);
}

struct Expression {
  size_t element;
  size_t data;
};

static struct Expression begin_expression(struct Message* message, const char* kind) {
  enum { list_element = 1, name = 1, data = 2 };
  struct Expression expression;
  expression.element = message_nest(message, list_element);
  message_add_text(message, name, kind);
  expression.data = message_nest(message, data);
  return expression;
}

static void end_expression(struct Message* message, struct Expression expression) {
  message_end_nest(message, expression.data);
  message_end_nest(message, expression.element);
}

static void add_value(struct Message* message, uint16_t type, const void* bytes, size_t size) {
  enum { value = 1 };
  const size_t nest = message_nest(message, type);
  message_add(message, value, bytes, size);
  message_end_nest(message, nest);
}

static void load_meta(struct Message* message, uint32_t what) {
  enum { destination = 1, key = 2 };
  const struct Expression meta = begin_expression(message, "meta");
  message_add_be32(message, key, what);
  message_add_be32(message, destination, register_data);
  end_expression(message, meta);
}

static void compare(struct Message* message, uint32_t how, const void* bytes, size_t size) {
  enum { source = 1, operation = 2, data = 3 };
  const struct Expression cmp = begin_expression(message, "cmp");
  message_add_be32(message, source, register_data);
  message_add_be32(message, operation, how);
  add_value(message, data, bytes, size);
  end_expression(message, cmp);
}

static void load_header(struct Message* message, uint32_t at, uint32_t size) {
  enum { destination = 1, base = 2, offset = 3, length = 4, network_header = 1 };
  const struct Expression payload = begin_expression(message, "payload");
  message_add_be32(message, destination, register_data);
  message_add_be32(message, base, network_header);
  message_add_be32(message, offset, at);
  message_add_be32(message, length, size);
  end_expression(message, payload);
}

static void load_next_hop(struct Message* message) {
  enum { destination = 1, key = 2, key_next_hop = 1 };
  const struct Expression rt = begin_expression(message, "rt");
  message_add_be32(message, destination, register_data);
  message_add_be32(message, key, key_next_hop);
  end_expression(message, rt);
}

static void require_state(struct Message* message, uint32_t states) {
  enum { ct_destination = 1, ct_key = 2, key_state = 0 };
  enum { source = 1, destination = 2, length = 3, mask = 4, flip = 5 };
  static const uint32_t none = 0;
  const struct Expression ct = begin_expression(message, "ct");
  message_add_be32(message, ct_key, key_state);
  message_add_be32(message, ct_destination, register_data);
  end_expression(message, ct);
  const struct Expression bitwise = begin_expression(message, "bitwise");
  message_add_be32(message, source, register_data);
  message_add_be32(message, destination, register_data);
  message_add_be32(message, length, sizeof states);
  add_value(message, mask, &states, sizeof states);
  add_value(message, flip, &none, sizeof none);
  end_expression(message, bitwise);
  compare(message, compare_unequal, &none, sizeof none);
}

static void require_over_rate(struct Message* message) {
  enum { rate = 1, unit = 2, burst = 3, type = 4, flags = 5, packets = 0, invert = 1 };
  const unsigned char per_second[8] = {0, 0, 0, 0, 0, 0, 0, rate_per_second};
  const unsigned char a_second[8] = {0, 0, 0, 0, 0, 0, 0, 1};
  const struct Expression limit = begin_expression(message, "limit");
  message_add(message, rate, per_second, sizeof per_second);
  message_add(message, unit, a_second, sizeof a_second);
  message_add_be32(message, burst, rate_burst);
  message_add_be32(message, type, packets);
  message_add_be32(message, flags, invert);
  end_expression(message, limit);
}

static void give_verdict(struct Message* message, uint32_t code) {
  enum { destination = 1, data = 2, verdict = 2, verdict_code = 1 };
  const struct Expression immediate = begin_expression(message, "immediate");
  message_add_be32(message, destination, register_verdict);
  const size_t value = message_nest(message, data);
  const size_t nest = message_nest(message, verdict);
  message_add_be32(message, verdict_code, code);
  message_end_nest(message, nest);
  message_end_nest(message, value);
  end_expression(message, immediate);
}

static void end_rule(struct Message* message, size_t rule, uint32_t verdict) {
  give_verdict(message, verdict);
  message_end_nest(message, rule);
  message_end(message);
}

static void accept_loopback(struct Message* message, const char* chain, uint32_t key) {
  static const uint32_t loopback = loopback_index;
  const size_t rule = begin_rule(message, chain);
  load_meta(message, key);
  compare(message, compare_equal, &loopback, sizeof loopback);
  end_rule(message, rule, verdict_accept);
}

static void accept_outside(struct Message* message, const struct Gateway* gateway) {
  enum { key_family = 15, at_version = 0, at_destination = 16 };
  static const unsigned char ipv4 = family_ipv4;
  static const unsigned char without_options = 0x45;
  static const unsigned char first_multicast[4] = {224, 0, 0, 0};
  const size_t rule = begin_rule(message, chain_out);
  load_meta(message, key_family);
  compare(message, compare_equal, &ipv4, sizeof ipv4);
  load_header(message, at_version, sizeof without_options);
  compare(message, compare_equal, &without_options, sizeof without_options);
  load_header(message, at_destination, sizeof first_multicast);
  compare(message, compare_less, first_multicast, sizeof first_multicast);
  compare(message, compare_unequal, gateway->address, sizeof gateway->address);
  load_next_hop(message);
  compare(message, compare_equal, gateway->address, sizeof gateway->address);
  end_rule(message, rule, verdict_accept);
}

static void add_rules(struct Message* message, const struct Gateway* gateway) {
  enum { key_interface_in = 4, key_interface_out = 5 };
  accept_loopback(message, chain_in, key_interface_in);
  size_t rule = begin_rule(message, chain_in);
  require_state(message, state_established | state_related);
  end_rule(message, rule, verdict_accept);

  accept_loopback(message, chain_out, key_interface_out);
  rule = begin_rule(message, chain_out);
  require_state(message, state_new);
  require_over_rate(message);
  end_rule(message, rule, verdict_drop);

  accept_outside(message, gateway);
}

void firewall_close(const struct Gateway* gateway) {
  const int fd = netlink_open(netlink_netfilter);
  if (fd < 0) break_down("open a netfilter socket", errno);
  struct Message message = {.size = 0};
  add_batch_edge(&message, batch_begin);
  add_table(&message);
  add_chain(&message, chain_in, hook_input);
  add_chain(&message, chain_out, hook_output);
  add_chain(&message, chain_through, hook_forward);
  add_rules(&message, gateway);
  const uint32_t last_rule = message.sequence;
  add_batch_edge(&message, batch_end);
  message.sequence = last_rule;
  const int error = netlink_talk(fd, &message);
  if (error != 0) break_down("set up a packet filter with nf_tables", error);
  close(fd);
}
