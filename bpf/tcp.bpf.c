// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Whose each TCP connection is, and how much it has carried: from the changes of a socket's state and, for a server,
 * its first receive, because who accepts is known to no packet. The connections of all network namespaces are seen;
 * those over loopback count only in the one that is watched, for there the same addresses mean others.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "network.h"
#include "tcp-ends.h"

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7

/* enum sock_flags of include/net/sock.h: the other end has said that it sends no more. */
#define SOCK_DONE 1

/* Clients between connect(2), which runs in their process, and the server's answer. By socket. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct ps_tcp);
} connecting SEC(".maps");

/* Servers' connections that nobody has received from yet. By socket. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, __u64);
    __type(value, struct ps_ends);
} unowned SEC(".maps");

static __always_inline void tell(__u32 type, const struct ps_ends *ends, const struct ps_tcp *tcp)
{
    struct ps_lifetime *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    struct tcp_sock *counts = (struct tcp_sock *)tcp->socket;
    struct sock *socket = (struct sock *)tcp->socket;
    __u64 ended;

    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    fill_header(&record->header, type);
    record->header.pid = tcp->pid;
    record->ends = *ends;
    record->socket = tcp->socket;
    record->established_ns = tcp->established_ns;
    record->bytes_out = BPF_CORE_READ(counts, bytes_sent) - BPF_CORE_READ(counts, bytes_retrans);
    record->bytes_in = BPF_CORE_READ(counts, bytes_received);
    ended = BPF_CORE_READ(socket, __sk_common.skc_flags) >> SOCK_DONE & 1;
    if (record->bytes_in >= ended)
        record->bytes_in -= ended;
    __builtin_memcpy(record->command, tcp->command, sizeof(record->command));
    record->said = tcp->said;
    __builtin_memset(record->reserved, 0, sizeof(record->reserved));
    bpf_ringbuf_submit(record, 0);
}

static __always_inline void on_established(struct sock *socket, int old)
{
    __u64 address = (__u64)socket;
    struct ps_tcp *begun = old == TCP_SYN_SENT ? bpf_map_lookup_elem(&connecting, &address) : NULL;
    struct ps_tcp tcp = {};
    struct ps_flow *flow;
    struct ps_ends ends;

    if (begun)
        tcp = *begun;
    if (read_ends(&ends, socket)) {
        // A server that waits for data is established by the packet that brings the hello.
        flow = bpf_map_lookup_elem(&flows, &ends);
        tcp.told = flow && flow->told;
        tcp.said = flow ? flow->said : PS_SAID_UNKNOWN;
        tcp.elsewhere = !is_watched(socket);
        tcp.socket = address;
        tcp.established_ns = bpf_ktime_get_ns();
        if (bpf_map_update_elem(&tcp_ends, &ends, &tcp, BPF_ANY))
            count_lost(PS_LOSS_TABLE_FULL, 0);
        if (!tcp.pid)
            bpf_map_update_elem(&unowned, &address, &ends, BPF_ANY);
    }
    if (begun)
        bpf_map_delete_elem(&connecting, &address);
}

static __always_inline void on_closed(struct sock *socket)
{
    __u64 address = (__u64)socket;
    struct ps_ends ends;
    struct ps_tcp *tcp;

    bpf_map_delete_elem(&connecting, &address);
    bpf_map_delete_elem(&unowned, &address);
    if (!read_ends(&ends, socket))
        return;
    tcp = bpf_map_lookup_elem(&tcp_ends, &ends);
    if (!tcp || tcp->socket != address)
        return;
    if (tcp->told)
        tell(PS_RECORD_CLOSED, &ends, tcp);
    bpf_map_delete_elem(&flows, &ends);
    bpf_map_delete_elem(&tcp_ends, &ends);
}

/* inet_sock_set_state(sk, oldstate, newstate), include/trace/events/sock.h */
SEC("raw_tp/inet_sock_set_state")
int state_changed(struct bpf_raw_tracepoint_args *ctx)
{
    struct sock *socket = (struct sock *)ctx->args[0];
    __u64 address = (__u64)socket;
    int old = ctx->args[1], state = ctx->args[2];

    if (BPF_CORE_READ(socket, sk_protocol) != IPPROTO_TCP)
        return 0;
    if (state == TCP_SYN_SENT) {
        struct ps_tcp tcp = { .pid = bpf_get_current_pid_tgid() >> 32 };

        bpf_get_current_comm(tcp.command, sizeof(tcp.command));
        bpf_map_update_elem(&connecting, &address, &tcp, BPF_ANY);
    } else if (state == TCP_ESTABLISHED) {
        on_established(socket, old);
    } else if (state == TCP_CLOSE) {
        on_closed(socket);
    }
    return 0;
}

/* sock_recv_length(sk, ret, flags), since Linux 6.3 */
SEC("raw_tp/sock_recv_length")
int first_received(struct bpf_raw_tracepoint_args *ctx)
{
    __u64 address = ctx->args[0];
    struct ps_ends *known = bpf_map_lookup_elem(&unowned, &address), ends;
    struct ps_tcp *tcp;

    if (!known || (int)ctx->args[1] < 0)
        return 0;
    ends = *known;
    bpf_map_delete_elem(&unowned, &address);
    tcp = bpf_map_lookup_elem(&tcp_ends, &ends);
    if (!tcp || tcp->socket != address)
        return 0;
    bpf_get_current_comm(tcp->command, sizeof(tcp->command));
    tcp->pid = bpf_get_current_pid_tgid() >> 32;
    if (tcp->told)
        tell(PS_RECORD_OWNER, &ends, tcp);
    return 0;
}

SEC("iter/tcp")
int still_open(struct bpf_iter__tcp *ctx)
{
    struct sock_common *any = ctx->sk_common;
    struct sock *socket = any ? (struct sock *)bpf_skc_to_tcp_sock(any) : NULL;
    struct ps_ends ends;
    struct ps_tcp *tcp;

    if (!socket || !read_ends(&ends, socket))
        return 0;
    tcp = bpf_map_lookup_elem(&tcp_ends, &ends);
    if (tcp && tcp->told && tcp->socket == (__u64)socket)
        tell(PS_RECORD_OPEN, &ends, tcp);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
