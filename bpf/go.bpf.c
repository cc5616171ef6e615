// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Probes in Go's crypto/tls, where a method of *tls.Conn has checked its stack and on each of its RET instructions. Arguments are in
 * registers (src/cmd/compile/abi-internal.md): the receiver in rax, then rbx, rcx and rdi, of which a slice takes three;
 * the goroutine in r14; at RET the first result is in rax. There is never a return probe: Go's stacks move.
 *
 * What is read is told when Read returns. What is written is told as it is about to be encrypted, in writeRecordLocked:
 * the lock that it holds puts concurrent writes into their order on the wire, and no answer can be told before it, while
 * a goroutine that returns from Write may be overtaken by the one that reads the answer.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "connection.h"
#include "events.h"
#include "maps.h"

static __always_inline struct ps_goroutine_key goroutine_of(struct pt_regs *ctx)
{
    struct ps_goroutine_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .goroutine = ctx->r14 };

    return key;
}

/*
 * A handshake begins a connection, unless it is another one within a Read of a connection that has carried bytes: the
 * server asked for renegotiation.
 */
static __always_inline void begin_handshake(struct ps_goroutine *goroutine, __u64 tls, struct ps_traced *process)
{
    struct ps_connection_key key = key_of(tls);
    struct ps_connection *connection = bpf_map_lookup_elem(&connections, &key);

    if (connection && connection->turn == process->turn && (connection->position[0] || connection->position[1])) {
        for (int i = 0; i < PS_CALLS; i++) {
            struct ps_go_call *call = &goroutine->calls[i];

            if (call->depth && call->tls == tls && call->role == PS_ROLE_GO_READ)
                return;
        }
    }
    begin_connection(tls, process);
}

/* The content type of a TLS record (RFC 8446, section 5.1), as writeRecordLocked takes it. */
#define TLS_APPLICATION_DATA 23

/* Completes an emission of which key, buffer, bytes, direction and file are known. */
static __always_inline void emit_go(struct ps_emission *emission, struct ps_traced *process, bool sleepable)
{
    struct ps_connection *connection = connection_of(&emission->key, process);

    if (!connection) {
        count_lost(PS_LOSS_TABLE_FULL, 0);
        return;
    }
    emission->birth_ns = connection->birth_ns;
    emission->from_start = connection->from_start;
    emission->position = connection->position[emission->direction & 1];
    connection->position[emission->direction & 1] += emission->bytes;
    emit_data(emission, sleepable);
}

static __always_inline int go_enter_call(struct pt_regs *ctx, bool sleepable)
{
    __u64 cookie = bpf_get_attach_cookie(ctx);
    __u32 role = cookie_role(cookie);
    struct ps_goroutine_key key = goroutine_of(ctx);
    struct ps_traced *process = bpf_map_lookup_elem(&traced, &key.pid);
    struct ps_goroutine *goroutine;
    struct ps_go_call *slot = NULL;
    struct ps_go_stack stack;
    __u64 sp = ctx->rsp;
    struct ps_go_call call = { .tls = ctx->rax, .buffer = ctx->rbx, .length = ctx->rcx, .role = role };

    if (!process)
        return 0;
    if (role == PS_ROLE_GO_WRITE) {
        if ((__u8)ctx->rbx != TLS_APPLICATION_DATA)
            return 0;
        struct ps_emission written = {
            .key = key_of(call.tls),
            .buffer = ctx->rcx,
            .bytes = ctx->rdi,
            .direction = PS_DIRECTION_OUT,
            .file = cookie_file(cookie),
        };
        if (written.bytes)
            emit_go(&written, process, sleepable);
    }
    if (role == PS_ROLE_GO_CLOSE) {
        forget_connection(call.tls);
        return 0;
    }
    if (read_go_stack(&stack, key.goroutine, sp) ||
        bpf_probe_read_user(&call.return_address, sizeof(call.return_address), (const void *)sp)) {
        count_lost(PS_LOSS_UNREADABLE, 0);
        return 0;
    }
    call.depth = stack.high - sp;
    if (call.buffer >= stack.low && call.buffer < stack.high) {
        call.buffer = stack.high - call.buffer;
        call.buffer_on_stack = 1;
    }

    goroutine = bpf_map_lookup_elem(&goroutines, &key);
    if (!goroutine) {
        static const struct ps_goroutine fresh;

        bpf_map_update_elem(&goroutines, &key, &fresh, BPF_NOEXIST);
        goroutine = bpf_map_lookup_elem(&goroutines, &key);
        if (!goroutine) {
            count_lost(PS_LOSS_TABLE_FULL, 0);
            return 0;
        }
    }
    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_go_call *other = &goroutine->calls[i];

        /* Where this call's frame is, theirs has ended: by a panic. */
        if (other->depth >= call.depth)
            other->depth = 0;
        if (!other->depth)
            slot = other;
    }
    if (role == PS_ROLE_GO_HANDSHAKE)
        begin_handshake(goroutine, call.tls, process);
    if (!slot) {
        count_lost(PS_LOSS_TABLE_FULL, 0);
        slot = &goroutine->calls[0];
    }
    *slot = call;
    return 0;
}

/* Sleepable, so that a payload on a page not yet touched is faulted in rather than lost. */
SEC("uprobe.s")
int go_enter(struct pt_regs *ctx)
{
    return go_enter_call(ctx, true);
}

SEC("uprobe")
int go_enter_atomic(struct pt_regs *ctx)
{
    return go_enter_call(ctx, false);
}

static __always_inline int go_leave_call(struct pt_regs *ctx, bool sleepable)
{
    __u64 cookie = bpf_get_attach_cookie(ctx);
    __u32 role = cookie_role(cookie);
    struct ps_goroutine_key key = goroutine_of(ctx);
    struct ps_traced *process = bpf_map_lookup_elem(&traced, &key.pid);
    struct ps_goroutine *goroutine = bpf_map_lookup_elem(&goroutines, &key);
    struct ps_go_call call = {};
    struct ps_go_stack stack;
    __u64 sp = ctx->rsp;
    __s64 result = ctx->rax;

    if (!process || !goroutine || read_go_stack(&stack, key.goroutine, sp))
        return 0;
    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_go_call *other = &goroutine->calls[i];

        if (other->depth == stack.high - sp && other->role == role) {
            call = *other;
            other->depth = 0;
            break;
        }
    }
    if (!call.depth || role != PS_ROLE_GO_READ || result <= 0)
        return 0;
    struct ps_emission was_read = {
        .key = key_of(call.tls),
        .buffer = call.buffer_on_stack ? stack.high - call.buffer : call.buffer,
        .bytes = (__u64)result < call.length ? (__u64)result : call.length,
        .direction = PS_DIRECTION_IN,
        .file = cookie_file(cookie),
    };
    emit_go(&was_read, process, sleepable);
    return 0;
}

SEC("uprobe.s")
int go_leave(struct pt_regs *ctx)
{
    return go_leave_call(ctx, true);
}

SEC("uprobe")
int go_leave_atomic(struct pt_regs *ctx)
{
    return go_leave_call(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
