// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Which socket a TLS object uses: the system calls that a thread makes inside SSL_read or SSL_write, or, where the
 * library writes into a memory buffer, the send that follows the write. Nothing is read from the library's own
 * structures, whose layout differs by version. The tracepoints exist since Linux 6.3.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6

struct in6_addr {
    __u8 s6_addr[16];
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
    struct sock_common __sk_common;
    __u16 sk_protocol;
} __attribute__((preserve_access_index));

struct pt_regs {
    unsigned long sp;
    unsigned long r14;
} __attribute__((preserve_access_index));

/* A system call made by a call in flight runs on the same stack, not far below its frame. */
#define PS_STACK_BELOW (256 * 1024)

static __always_inline void bind(__u32 pid, __u64 tls, struct sock *socket, __u16 how)
{
    struct ps_connection_key key = { .pid = pid, .tls = tls };
    struct ps_traced *process = bpf_map_lookup_elem(&traced, &pid);
    struct ps_connection *connection = process ? connection_of(&key, process) : NULL;
    struct ps_socket *record;
    __u16 family;

    if (!connection || connection->socket_known)
        return;
    family = BPF_CORE_READ(socket, __sk_common.skc_family);
    if (family != AF_INET && family != AF_INET6)
        return;
    record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    __builtin_memset(record, 0, sizeof(*record));
    fill_header(&record->header, PS_RECORD_SOCKET);
    record->tls = tls;
    record->birth_ns = connection->birth_ns;
    record->family = family;
    record->local_port = BPF_CORE_READ(socket, __sk_common.skc_num);
    record->remote_port = bpf_ntohs(BPF_CORE_READ(socket, __sk_common.skc_dport));
    if (family == AF_INET) {
        BPF_CORE_READ_INTO((__be32 *)record->local, socket, __sk_common.skc_rcv_saddr);
        BPF_CORE_READ_INTO((__be32 *)record->remote, socket, __sk_common.skc_daddr);
    } else {
        BPF_CORE_READ_INTO((struct in6_addr *)record->local, socket, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO((struct in6_addr *)record->remote, socket, __sk_common.skc_v6_daddr);
    }
    bpf_ringbuf_submit(record, 0);
    connection->socket_known = how;
}

/* Ciphertext of n bytes: up to 16 KiB a record, each with at least 17 and at most 64 bytes around it; handshake
 * messages that waited, such as session tickets, may go out with it. */
static __always_inline bool could_carry(__u64 plaintext, long sent)
{
    __u64 records = plaintext / 16384 + 1;

    return sent >= (long)(plaintext + 17) && sent <= (long)(plaintext + records * 64 + 1024);
}

/*
 * Go enters the kernel on the goroutine's own stack with the goroutine in r14. The innermost call of crypto/tls that is
 * still on that stack is the one that asked; a handshake may ask others, too (for a certificate, say), so it tells
 * nothing.
 */
static __always_inline bool bind_goroutine(__u32 pid, struct pt_regs *regs, struct sock *socket)
{
    struct ps_goroutine_key key = { .pid = pid, .goroutine = BPF_CORE_READ(regs, r14) };
    struct ps_goroutine *goroutine = bpf_map_lookup_elem(&goroutines, &key);
    __u64 sp = BPF_CORE_READ(regs, sp), return_address = 0;
    struct ps_go_stack stack;
    struct ps_go_call inner = {};

    if (!goroutine || read_go_stack(&stack, key.goroutine, sp))
        return false;
    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_go_call *call = &goroutine->calls[i];

        if (call->depth > inner.depth && call->depth < stack.high - sp)
            inner = *call;
    }
    if (inner.role != PS_ROLE_GO_WRITE && inner.role != PS_ROLE_GO_READ)
        return false;
    bpf_probe_read_user(&return_address, sizeof(return_address), (const void *)(stack.high - inner.depth));
    if (return_address != inner.return_address)
        return false;
    bind(pid, inner.tls, socket, PS_SOCKET_NESTED);
    return true;
}

static __always_inline int on_socket(struct bpf_raw_tracepoint_args *ctx, bool sending)
{
    struct sock *socket = (struct sock *)ctx->args[0];
    long result = (int)ctx->args[1];
    __u64 id = bpf_get_current_pid_tgid();
    struct ps_thread *thread = bpf_map_lookup_elem(&threads, &id);
    bool nested = false;
    __u64 sp;

    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
    if (bind_goroutine(id >> 32, regs, socket) || !thread)
        return 0;
    sp = BPF_CORE_READ(regs, sp);
    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_call *call = &thread->calls[i];

        if (!is_read(call->role) && !is_write(call->role))
            continue;
        if (call->frame && sp < call->frame && call->frame - sp < PS_STACK_BELOW) {
            bind(id >> 32, call->tls, socket, PS_SOCKET_NESTED);
            nested = true;
        }
    }
    if (nested || !thread->unsent_tls || BPF_CORE_READ(socket, sk_protocol) != IPPROTO_TCP)
        return 0;
    if (thread->unsent_tls == PS_UNSENT_MIXED) {
        if (!sending || --thread->unsent_writes == 0)
            thread->unsent_tls = 0;
        return 0;
    }
    if (sending && (result == -EAGAIN || could_carry(thread->unsent_bytes, result)))
        bind(id >> 32, thread->unsent_tls, socket, PS_SOCKET_FOLLOWING);
    thread->unsent_tls = 0;
    return 0;
}

/* sock_send_length(sk, ret, flags), include/trace/events/sock.h */
SEC("raw_tp/sock_send_length")
int sent(struct bpf_raw_tracepoint_args *ctx)
{
    return on_socket(ctx, true);
}

SEC("raw_tp/sock_recv_length")
int received(struct bpf_raw_tracepoint_args *ctx)
{
    return on_socket(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
