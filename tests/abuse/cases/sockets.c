/* 60: the kinds of sockets that a program has no use for. */
#include "probe.h"

#include <sys/socket.h>

int main(void) {
  static const struct {
    const char* name;
    int family, type, protocol;
  } kinds[] = {{"AF_ALG", 38, SOCK_SEQPACKET, 0},    {"AF_VSOCK", 40, SOCK_STREAM, 0},
               {"AF_PACKET", 17, SOCK_RAW, 0x0300},  {"AF_PACKET dgram", 17, SOCK_DGRAM, 0x0300},
               {"raw IPv4", 2, SOCK_RAW, 1},         {"raw IPv6", 10, SOCK_RAW, 58},
               {"ping", 2, SOCK_DGRAM, 1},           {"netlink route", 16, SOCK_RAW, 0},
               {"netlink audit", 16, SOCK_RAW, 9},   {"netlink netfilter", 16, SOCK_RAW, 12},
               {"netlink uevent", 16, SOCK_RAW, 15}, {"AF_XDP", 44, SOCK_RAW, 0},
               {"AF_TIPC", 30, SOCK_RDM, 0},         {"AF_RDS", 21, SOCK_SEQPACKET, 0},
               {"AF_CAN", 29, SOCK_RAW, 1},          {"AF_BLUETOOTH", 31, SOCK_RAW, 1},
               {"AF_KCM", 41, SOCK_DGRAM, 0},        {"AF_SMC", 43, SOCK_STREAM, 0},
               {"AF_QIPCRTR", 42, SOCK_DGRAM, 0},    {"SCTP", 2, SOCK_STREAM, 132},
               {"DCCP", 2, SOCK_DCCP, 33},           {"MPTCP", 2, SOCK_STREAM, 262},
               {"UDP-Lite", 2, SOCK_DGRAM, 136}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    report(kinds[i].name, socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
  }
}
