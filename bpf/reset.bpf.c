// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Ends the connections that hello.bpf.c has doomed, as their own program could: the other end gets a TCP reset, the
 * program an error. Only of sockets in the tracer's network namespace; the kernel offers it since Linux 6.5.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tcp-ends.h"

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct ps_ends);
    __type(value, __u32);
} doomed SEC(".maps");

extern int bpf_sock_destroy(struct sock_common *socket) __ksym;

SEC("iter/tcp")
int reset_doomed(struct bpf_iter__tcp *ctx)
{
    struct sock_common *socket = ctx->sk_common;
    struct ps_ends ends;

    if (!socket || !read_ends(&ends, (struct sock *)socket) || !bpf_map_lookup_elem(&doomed, &ends))
        return 0;
    bpf_sock_destroy(socket);
    bpf_map_delete_elem(&doomed, &ends);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
