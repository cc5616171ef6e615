// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Whose each QUIC connection is, and when it ends. Its end is encrypted, so it is over when its socket closes, or that
 * of its other end where both are on this host, or when nothing was said for long. Its last packet is then its end.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "quic.h"

/* How long a silence ends a connection. One element, written by the tracer. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} quic_idle_ns SEC(".maps");

/* The context of a bpf_iter program over a map's elements, kernel/bpf/map_iter.c; since Linux 5.9. */
struct bpf_iter__bpf_map_elem {
    void *key;
    void *value;
} __attribute__((preserve_access_index));

struct bpf_map;

static __always_inline void close_end(const struct ps_ends *ends, const struct ps_quic *quic)
{
    tell_quic(PS_RECORD_CLOSED, ends, quic, quic->last_ns);
    bpf_map_delete_elem(&quic_ends, ends);
}

/* Whoever uses a socket has it. */
static __always_inline int on_use(struct bpf_raw_tracepoint_args *ctx)
{
    __u64 address = ctx->args[0];
    struct ps_quic_socket *socket = bpf_map_lookup_elem(&quic_sockets, &address);
    struct ps_lifetime *record;

    if (!socket || socket->pid || (int)ctx->args[1] < 0)
        return 0;
    bpf_get_current_comm(socket->command, sizeof(socket->command));
    socket->pid = bpf_get_current_pid_tgid() >> 32;
    record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return 0;
    }
    __builtin_memset(record, 0, sizeof(*record));
    fill_header(&record->header, PS_RECORD_OWNER);
    record->ends = socket->newest;
    record->socket = address;
    __builtin_memcpy(record->command, socket->command, sizeof(record->command));
    bpf_ringbuf_submit(record, 0);
    return 0;
}

/* sock_send_length(sk, ret, flags), since Linux 6.3 */
SEC("raw_tp/sock_send_length")
int quic_sent(struct bpf_raw_tracepoint_args *ctx)
{
    return on_use(ctx);
}

/* sock_recv_length(sk, ret, flags), since Linux 6.3 */
SEC("raw_tp/sock_recv_length")
int quic_received(struct bpf_raw_tracepoint_args *ctx)
{
    return on_use(ctx);
}

static long close_of_socket(struct bpf_map *map, struct ps_ends *key, struct ps_quic *quic, __u64 *address)
{
    struct ps_ends ends = *key, other = *key;
    struct ps_quic *others;

    (void)map;
    if (quic->socket != *address)
        return 0;
    close_end(&ends, quic);
    __builtin_memcpy(other.local, ends.remote, sizeof(other.local));
    __builtin_memcpy(other.remote, ends.local, sizeof(other.remote));
    other.local_port = ends.remote_port;
    other.remote_port = ends.local_port;
    others = bpf_map_lookup_elem(&quic_ends, &other);
    if (others)
        close_end(&other, others);
    return 0;
}

/* The last descriptor of a socket is closed, inet_release of net/ipv4/af_inet.c; since Linux 5.9. */
SEC("cgroup/sock_release")
int quic_released(struct bpf_sock *socket)
{
    __u64 address = (__u64)socket;

    if (!bpf_map_lookup_elem(&quic_sockets, &address))
        return 1;
    bpf_map_delete_elem(&quic_sockets, &address);
    bpf_for_each_map_elem(&quic_ends, close_of_socket, &address, 0);
    return 1;
}

SEC("iter/bpf_map_elem")
int quic_open(struct bpf_iter__bpf_map_elem *ctx)
{
    struct ps_quic *quic = ctx->value;
    struct ps_ends *key = ctx->key, ends;

    if (!key || !quic)
        return 0;
    ends = *key;
    tell_quic(PS_RECORD_OPEN, &ends, quic, bpf_ktime_get_ns());
    return 0;
}

SEC("iter/bpf_map_elem")
int quic_idle(struct bpf_iter__bpf_map_elem *ctx)
{
    __u32 zero = 0;
    __u64 *idle_ns = bpf_map_lookup_elem(&quic_idle_ns, &zero), now = bpf_ktime_get_ns();
    struct ps_quic *quic = ctx->value;
    struct ps_ends *key = ctx->key, ends;

    // A packet may have passed since the clock was read.
    if (!key || !quic || !idle_ns || (__s64)(now - quic->last_ns) <= (__s64)*idle_ns)
        return 0;
    ends = *key;
    close_end(&ends, quic);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
