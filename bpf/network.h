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
    __u8 told; /* a hello of it was told */
    __u8 elsewhere; /* it is of another network namespace than the one that is watched */
    __u8 said; /* enum ps_said */
    __u8 reserved;
    char command[16];
};

/* A TCP connection that may say its ClientHello next, is saying it, or has not said anything but its handshake since. */
struct ps_flow {
    __u32 start; /* sequence number of its first byte */
    __u32 end;   /* distance from there to the end of the hello; 0: not known yet */
    __u32 verdict; /* enum ps_verdict */
    __u32 told;
    __u32 next; /* distance from the start to the next record's head, behind the hello */
    __u8 said; /* enum ps_said */
    __u8 is_older; /* TLS 1.2 or older, whose encrypted handshake is told from data */
    __u8 finished; /* TLS 1.3: length of its client's Finished; 0: not seen */
    __u8 encrypted; /* TLS 1.3: records that may be the client's certificate, or data */
    __u8 alerts; /* TLS 1.3: records behind the Finished that may be alerts */
    __u8 reserved[3];
};

_Static_assert(sizeof(struct ps_flow) == 28 && __builtin_offsetof(struct ps_flow, verdict) == 8,
               "src/tracer/network-watch.ts writes it");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct ps_ends);
    __type(value, struct ps_tcp);
} tcp_ends SEC(".maps");

/*
 * By the end whose packets these are. Only what a client sends is here: it begins with a SYN, or with a hello. Of UDP
 * only what is blocked, or was: its start is another for each connection.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 32768);
    __type(key, struct ps_ends);
    __type(value, struct ps_flow);
} flows SEC(".maps");

#endif
