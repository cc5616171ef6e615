/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What the programs of the network path share: the TCP connections that have begun since the path was opened, as
 * tcp.bpf.c tells them and hello.bpf.c finds them by the addresses of a packet.
 */
#ifndef PLAINSIGHT_NETWORK_H
#define PLAINSIGHT_NETWORK_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

/* include/linux/socket.h */
#define AF_INET 2
#define AF_INET6 10

/* One end of a TCP connection on this host. */
struct ps_tcp {
    __u64 socket; /* address of struct sock */
    __u64 established_ns;
    __u32 pid; /* 0: not known yet */
    __u32 told; /* a hello of it was told */
    char command[16];
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct ps_ends);
    __type(value, struct ps_tcp);
} tcp_ends SEC(".maps");

#endif
