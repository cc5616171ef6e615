/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/* The few kernel fields of a TCP socket that are read; libbpf finds their real offsets in the running kernel's BTF. */
#ifndef PLAINSIGHT_TCP_ENDS_H
#define PLAINSIGHT_TCP_ENDS_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "network.h"

struct in6_addr {
    __u8 s6_addr[16];
};

struct ns_common {
    unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
    struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
    struct net *net;
} possible_net_t;

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    unsigned short skc_family;
    unsigned long skc_flags;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol;
} __attribute__((preserve_access_index));

struct inet_sock {
    __be16 inet_sport;
} __attribute__((preserve_access_index));

struct tcp_sock {
    __u64 bytes_received; /* counts the end of the stream as one */
    __u64 bytes_sent;
    __u64 bytes_retrans;
} __attribute__((preserve_access_index));

/* The namespace whose interfaces are watched: inode number of /proc/self/ns/net of the tracer. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} watched_namespace SEC(".maps");

/* The context of a bpf_iter program over TCP sockets, net/ipv4/tcp_ipv4.c; since Linux 5.9. */
struct bpf_iter__tcp {
    struct sock_common *sk_common;
} __attribute__((preserve_access_index));

static __always_inline bool is_mapped(const __u8 *address)
{
    const __u32 *words = (const __u32 *)address;

    return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool is_loopback(const struct ps_ends *ends)
{
    const __u32 *words = (const __u32 *)ends->local;

    if (ends->family == AF_INET)
        return ends->local[0] == 127;
    return !words[0] && !words[1] && !words[2] && words[3] == bpf_htonl(1);
}

static __always_inline bool is_watched(struct sock *socket)
{
    __u32 zero = 0, *watched = bpf_map_lookup_elem(&watched_namespace, &zero);

    return watched && BPF_CORE_READ(socket, __sk_common.skc_net.net, ns.inum) == *watched;
}

static __always_inline bool read_ends(struct ps_ends *ends, struct sock *socket)
{
    __u16 family = BPF_CORE_READ(socket, __sk_common.skc_family);

    __builtin_memset(ends, 0, sizeof(*ends));
    // Not skc_num, which is 0 again when the socket closes.
    ends->local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)socket, inet_sport));
    ends->remote_port = bpf_ntohs(BPF_CORE_READ(socket, __sk_common.skc_dport));
    ends->protocol = IPPROTO_TCP;
    ends->family = family;
    if (family == AF_INET6) {
        BPF_CORE_READ_INTO((struct in6_addr *)ends->local, socket, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO((struct in6_addr *)ends->remote, socket, __sk_common.skc_v6_daddr);
        if (is_mapped(ends->remote)) {
            __builtin_memset(ends->local, 0, sizeof(ends->local));
            __builtin_memset(ends->remote, 0, sizeof(ends->remote));
            ends->family = family = AF_INET;
        }
    } else if (family != AF_INET) {
        return false;
    }
    if (family == AF_INET) {
        BPF_CORE_READ_INTO((__be32 *)ends->local, socket, __sk_common.skc_rcv_saddr);
        BPF_CORE_READ_INTO((__be32 *)ends->remote, socket, __sk_common.skc_daddr);
    }
    return !is_loopback(ends) || is_watched(socket);
}

#endif
