// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Sends the TCP connections of traced processes that are marked so to the local proxy, and remembers where they were
 * going. Those of a program that nobody has looked at yet go there as well, where the proxy holds them until then. The
 * links are on the root of cgroup2 and are held by the tracer: when it ends, however it ends, connections go direct
 * again. When the proxy ends, or does not listen, they go direct, too.
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

/* include/net/flow.h */
#define LOOPBACK_IFINDEX 1

/* Written once by the tracer, before the programs are attached. */
struct ps_proxy {
    __u64 network_namespace; /* SO_NETNS_COOKIE of where it listens */
    __u16 port;              /* of 127.0.0.1, and of ::1 where `ipv6` */
    __u16 ipv6;
    __u32 holds; /* what programs begin that were not judged yet */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct ps_proxy);
} proxy SEC(".maps");

/* By socket cookie: for getpeername, and until the connection's own port is known. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, __u64);
    __type(value, struct ps_redirected);
} redirected SEC(".maps");

/* By family << 16 | port, of the end that the proxy sees as its peer. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, __u32);
    __type(value, struct ps_redirected);
} arrivals SEC(".maps");

/*
 * Where the proxy could not connect, whoever it was: until this time (CLOCK_MONOTONIC, nanoseconds) programs learn by
 * themselves what is wrong there.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct ps_redirected);
    __type(value, __u64);
} unreachable SEC(".maps");

static __always_inline bool is_unreachable(struct ps_redirected *original)
{
    struct ps_redirected whoever = *original;
    __u64 *until;

    whoever.held = 0;
    until = bpf_map_lookup_elem(&unreachable, &whoever);
    return until && bpf_ktime_get_ns() < *until;
}

static __always_inline bool listens(struct bpf_sock_addr *ctx, struct bpf_sock_tuple *tuple, __u32 bytes)
{
    struct bpf_sock *sock = bpf_sk_lookup_tcp(ctx, tuple, bytes, BPF_F_CURRENT_NETNS, 0);

    if (!sock)
        return false;
    bpf_sk_release(sock);
    return true;
}

static __always_inline bool listens4(struct bpf_sock_addr *ctx, __be32 address, __be16 port)
{
    struct bpf_sock_tuple tuple = { .ipv4 = { .daddr = address, .dport = port } };

    return listens(ctx, &tuple, sizeof(tuple.ipv4));
}

static __always_inline bool listens_on_ipv6_loopback(struct bpf_sock_addr *ctx, __be16 port)
{
    struct bpf_sock_tuple tuple = { .ipv6 = { .daddr = { 0, 0, 0, bpf_htonl(1) }, .dport = port } };

    return listens(ctx, &tuple, sizeof(tuple.ipv6));
}

/* To an interface that does not lead to loopback (SO_BINDTODEVICE, VRFs). */
static __always_inline bool is_bound(struct bpf_sock_addr *ctx)
{
    __u32 interface = ctx->sk ? ctx->sk->bound_dev_if : 0;

    return interface && interface != LOOPBACK_IFINDEX;
}

/* The proxy, when this connection is one for it. Says of `original` whether it is held there. */
static __always_inline struct ps_proxy *proxy_for(struct bpf_sock_addr *ctx, struct ps_redirected *original)
{
    __u32 pid = bpf_get_current_pid_tgid() >> 32, zero = 0;
    struct ps_traced *process;
    struct ps_proxy *to;

    if (ctx->protocol != IPPROTO_TCP)
        return 0;
    process = bpf_map_lookup_elem(&traced, &pid);
    if (!process)
        return 0;
    to = bpf_map_lookup_elem(&proxy, &zero);
    if (!to || !proxy_lives())
        return 0;
    if (!(process->flags & PS_TRACED_PROXIED)) {
        original->held = to->holds && process->flags & PS_TRACED_UNJUDGED;
        if (!original->held)
            return 0;
    }
    if (bpf_get_netns_cookie(ctx) == to->network_namespace && !is_bound(ctx))
        return to;
    if (!original->held && !(process->flags & PS_TRACED_ELSEWHERE)) {
        process->flags |= PS_TRACED_ELSEWHERE;
        emit_process(PS_RECORD_ELSEWHERE, pid, 0);
    }
    return 0;
}

static __always_inline bool remember(struct bpf_sock_addr *ctx, struct ps_redirected *original)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);

    original->pid = bpf_get_current_pid_tgid() >> 32;
    return bpf_map_update_elem(&redirected, &cookie, original, BPF_ANY) == 0;
}

static __always_inline void forget(struct bpf_sock_addr *ctx)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);

    bpf_map_delete_elem(&redirected, &cookie);
}

/*
 * Whether a connection to this IPv4 address is for the proxy. One to a port of this host's own loopback where nobody
 * listens is not: it has to be refused, so that the program can try the next address of the name.
 */
static __always_inline bool wanted4(struct bpf_sock_addr *ctx, struct ps_proxy *to, __be32 address, __be16 port)
{
    __u32 first = bpf_ntohl(address) >> 24;

    if ((first == 127 || address == 0) && !listens4(ctx, address ? address : bpf_htonl(INADDR_LOOPBACK), port))
        return false;
    return listens4(ctx, bpf_htonl(INADDR_LOOPBACK), bpf_htons(to->port));
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
    struct ps_redirected original = { .family = AF_INET };
    struct ps_proxy *to = proxy_for(ctx, &original);
    __be32 address = ctx->user_ip4;
    __be16 port = ctx->user_port;

    if (!to)
        return 1;
    __builtin_memcpy(original.address, &address, 4);
    original.port = bpf_ntohs(port);
    if (!wanted4(ctx, to, address, port) || is_unreachable(&original) || !remember(ctx, &original)) {
        forget(ctx);
        return 1;
    }
    ctx->user_ip4 = bpf_htonl(INADDR_LOOPBACK);
    ctx->user_port = bpf_htons(to->port);
    return 1;
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
    struct ps_redirected original = { .family = AF_INET6 };
    struct ps_proxy *to = proxy_for(ctx, &original);
    __u32 address[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
    __be16 port = ctx->user_port;
    bool mapped = !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
    bool loopback = !address[0] && !address[1] && !address[2] && (!address[3] || address[3] == bpf_htonl(1));
    bool wanted;

    if (!to)
        return 1;
    original.port = bpf_ntohs(port);
    if (mapped) {
        original.family = AF_INET;
        __builtin_memcpy(original.address, &address[3], 4);
        wanted = wanted4(ctx, to, address[3], port);
    } else {
        __builtin_memcpy(original.address, address, 16);
        wanted = (loopback || to->ipv6) && (!loopback || listens_on_ipv6_loopback(ctx, port)) &&
                 listens_on_ipv6_loopback(ctx, bpf_htons(to->port));
    }
    if (!wanted || is_unreachable(&original) || !remember(ctx, &original)) {
        forget(ctx);
        return 1;
    }
    ctx->user_ip6[0] = 0;
    ctx->user_ip6[1] = 0;
    ctx->user_ip6[2] = mapped ? bpf_htonl(0xffff) : 0;
    ctx->user_ip6[3] = bpf_htonl(mapped ? INADDR_LOOPBACK : 1);
    ctx->user_port = bpf_htons(to->port);
    return 1;
}

/* The proxy accepts after this: the client's last word of the handshake follows it. */
SEC("sockops")
int established(struct bpf_sock_ops *ops)
{
    struct ps_redirected *original;
    __u64 cookie;
    __u32 end;

    if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
        return 1;
    cookie = bpf_get_socket_cookie(ops);
    original = bpf_map_lookup_elem(&redirected, &cookie);
    if (!original)
        return 1;
    end = (__u32)original->family << 16 | ops->local_port;
    bpf_map_update_elem(&arrivals, &end, original, BPF_ANY);
    return 1;
}

/* The program is told the address that it asked for. */
SEC("cgroup/getpeername4")
int peer4(struct bpf_sock_addr *ctx)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);
    struct ps_redirected *original = bpf_map_lookup_elem(&redirected, &cookie);
    __u32 address;

    if (!original)
        return 1;
    __builtin_memcpy(&address, original->address, 4);
    ctx->user_ip4 = address;
    ctx->user_port = bpf_htons(original->port);
    return 1;
}

SEC("cgroup/getpeername6")
int peer6(struct bpf_sock_addr *ctx)
{
    __u64 cookie = bpf_get_socket_cookie(ctx);
    struct ps_redirected *original = bpf_map_lookup_elem(&redirected, &cookie);
    __u32 address[4] = {};

    if (!original)
        return 1;
    if (original->family == AF_INET) {
        address[2] = bpf_htonl(0xffff);
        __builtin_memcpy(&address[3], original->address, 4);
    } else {
        __builtin_memcpy(address, original->address, 16);
    }
    ctx->user_ip6[0] = address[0];
    ctx->user_ip6[1] = address[1];
    ctx->user_ip6[2] = address[2];
    ctx->user_ip6[3] = address[3];
    ctx->user_port = bpf_htons(original->port);
    return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
