// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Gives connections that come in for a served port to the proxy's sockets rather than to the server's. The link is on
 * the network namespace and is held by the tracer: when it ends, or the proxy, the server gets them.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

/* include/linux/socket.h */
#define AF_INET 2
#define AF_INET6 10

/*
 * Where every proxy connects from (network/own-end.ts): those connections are for the server. 127.83.0.1, or for a
 * client on 127.0.0.1, which servers may trust more than others, that address with a port beyond the ephemeral ones.
 */
#define PROXY_ADDRESS 0x7f530001
#define FIRST_OWN_PORT 61000

/* In `served`: connections by IPv6 are wanted as well, for the server takes IPv4 there, too. */
#define WITH_IPV6 1
/* In `served`: ephemeral ports of this namespace end before FIRST_OWN_PORT. */
#define WITH_OWN_PORTS 2

/* By port. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 256);
    __type(key, __u32);
    __type(value, __u32);
} served SEC(".maps");

/* The proxy's listening sockets: 0 for IPv4, 1 for IPv6. */
struct {
    __uint(type, BPF_MAP_TYPE_SOCKMAP);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u64);
} listeners SEC(".maps");

static __always_inline bool is_proxys(struct bpf_sk_lookup *ctx, __u32 flags)
{
    if (ctx->remote_ip4 == bpf_htonl(PROXY_ADDRESS))
        return true;
    return flags & WITH_OWN_PORTS && ctx->remote_ip4 == bpf_htonl(INADDR_LOOPBACK) &&
           bpf_ntohs(ctx->remote_port) >= FIRST_OWN_PORT;
}

SEC("sk_lookup")
int incoming(struct bpf_sk_lookup *ctx)
{
    __u32 port = ctx->local_port, family = ctx->family;
    __u32 key = family == AF_INET6;
    __u32 *flags;
    struct bpf_sock *listener;

    if (ctx->protocol != IPPROTO_TCP)
        return SK_PASS;
    flags = bpf_map_lookup_elem(&served, &port);
    if (!flags || !proxy_lives() || (family == AF_INET ? is_proxys(ctx, *flags) : !(*flags & WITH_IPV6)))
        return SK_PASS;
    listener = bpf_map_lookup_elem(&listeners, &key);
    if (!listener)
        return SK_PASS;
    bpf_sk_assign(ctx, listener, 0);
    bpf_sk_release(listener);
    return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
