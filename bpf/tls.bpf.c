// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Probes at the plaintext boundary of a TLS library. `enter` remembers a call's arguments; `leave` emits what the call
 * carried once its result is known, because only then is it certain how many bytes moved (a non-blocking caller
 * retries the same bytes until they are taken). What a probe is for comes in its cookie.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "connection.h"
#include "events.h"
#include "maps.h"

/* The cookie's bias is what to add to the stack pointer to get the call's frame. */
static __always_inline __u64 cookie_frame(__u64 cookie, struct pt_regs *ctx)
{
    return PT_REGS_SP(ctx) + (__s64)(__s32)(cookie >> 32);
}

/* PR_MSG_PEEK, nspr/prio.h: what such a call reads will be read again. */
#define PR_MSG_PEEK 0x2

/*
 * Whether a call counts. NSPR's functions take files and plain sockets, too: theirs is plaintext of TLS only where the
 * object came out of SSL_ImportFD, or out of PR_Accept of such a one, and was not closed since.
 * Of objects older than the trace nothing tells which they are.
 */
static __always_inline bool carries_tls(__u32 role, __u64 tls, __u64 flags, struct ps_traced *process)
{
    struct ps_connection_key key = key_of(tls);
    struct ps_connection *connection;

    if (role < PS_ROLE_WRITE_KNOWN || role > PS_ROLE_NEW_KNOWN)
        return true;
    if (role == PS_ROLE_RECEIVE_KNOWN && flags & PR_MSG_PEEK)
        return false;
    connection = bpf_map_lookup_elem(&connections, &key);
    return connection && connection->from_start && connection->turn == process->turn;
}

/* The thread's entry, made on first use. */
static __always_inline struct ps_thread *current_thread(void)
{
    static const struct ps_thread fresh;
    __u64 id = bpf_get_current_pid_tgid();
    struct ps_thread *thread = bpf_map_lookup_elem(&threads, &id);

    if (thread)
        return thread;
    bpf_map_update_elem(&threads, &id, &fresh, BPF_NOEXIST);
    return bpf_map_lookup_elem(&threads, &id);
}

static __always_inline void emit_library(void)
{
    struct ps_process *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    fill_header(&record->header, PS_RECORD_LIBRARY);
    record->parent_pid = 0;
    record->reserved = 0;
    bpf_get_current_comm(record->command, sizeof(record->command));
    bpf_ringbuf_submit(record, 0);
}

/* Where an enclosing call of the same object and direction may stand above this one's frame. */
#define PS_NEAR_FRAME (64 * 1024)

/* Remembers a call, in the slot of a call that it proves to have ended, or in a free one. */
static __always_inline void remember(struct ps_thread *thread, struct ps_call *call)
{
    struct ps_call *slot = NULL;

    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_call *other = &thread->calls[i];

        if (!other->frame || other->frame == call->frame) {
            slot = other;
            continue;
        }
        if (other->tls == call->tls && is_read(other->role) == is_read(call->role) &&
            is_write(other->role) == is_write(call->role)) {
            /* SSL_read_ex may be made of SSL_read: the outer call counts, the inner one is the same bytes. */
            if (other->frame > call->frame && other->frame - call->frame < PS_NEAR_FRAME)
                return;
            /* An object is in one call of a kind at a time, so the other one's return was missed. */
            slot = other;
        }
    }
    if (!slot) {
        count_lost(PS_LOSS_TABLE_FULL, 0);
        slot = &thread->calls[0];
    }
    *slot = *call;
}

SEC("uprobe")
int enter(struct pt_regs *ctx)
{
    __u64 cookie = bpf_get_attach_cookie(ctx);
    __u32 pid = bpf_get_current_pid_tgid() >> 32;
    __u32 role = cookie_role(cookie);
    struct ps_call call = {
        .frame = cookie_frame(cookie, ctx),
        .tls = PT_REGS_PARM1(ctx),
        .role = role,
    };
    __u64 second = PT_REGS_PARM2(ctx), third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx);
    struct ps_traced *process;
    struct ps_thread *thread;

    /* Read here: the verifier refuses a context pointer that the compiler has moved into a branch. */
    asm volatile("" : "+r"(second), "+r"(third), "+r"(fourth));

    process = bpf_map_lookup_elem(&traced, &pid);
    if (!process || !carries_tls(role, call.tls, fourth, process))
        return 0;
    if (role == PS_ROLE_LIBRARY) {
        emit_library();
        return 0;
    }
    if (role == PS_ROLE_FREE) {
        forget_connection(call.tls);
        return 0;
    }
    if (role == PS_ROLE_CTRL_SERVER_NAME) {
        /* SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME = 55, type, name), openssl/tls1.h */
        if ((int)second != 55)
            return 0;
        call.buffer = fourth;
    } else if (role == PS_ROLE_TYPED_SERVER_NAME) {
        /* GNUTLS_NAME_DNS = 1, gnutls/gnutls.h; there is no other kind */
        if ((int)second != 1)
            return 0;
        call.buffer = third;
        call.count = fourth;
    } else {
        call.buffer = second;
        call.count = fourth;
    }
    thread = current_thread();
    if (thread)
        remember(thread, &call);
    else
        count_lost(PS_LOSS_TABLE_FULL, 0);
    return 0;
}

/* The name ends at a NUL, or after `longest` bytes. */
static __always_inline void emit_name(struct ps_connection_key *key, struct ps_connection *connection, __u64 name,
                                      __u64 longest)
{
    struct ps_server_name *record;
    long bytes;

    if (!name)
        return;
    if (longest > PS_SERVER_NAME_BYTES - 1)
        longest = PS_SERVER_NAME_BYTES - 1;
    /* The compiler would move the sum before the comparison, where the verifier knows no bound. */
    asm volatile("" : "+r"(longest));
    longest &= PS_SERVER_NAME_BYTES - 1;
    record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    bytes = bpf_probe_read_user_str(record->name, longest + 1, (const void *)name);
    if (bytes <= 1) {
        bpf_ringbuf_discard(record, 0);
        return;
    }
    fill_header(&record->header, PS_RECORD_SERVER_NAME);
    record->tls = key->tls;
    record->birth_ns = connection->birth_ns;
    record->name_bytes = bytes - 1;
    record->reserved = 0;
    bpf_ringbuf_submit(record, 0);
}

/* How many bytes the call moved; 0 when it failed or has to be called again. */
static __always_inline __u64 bytes_moved(struct ps_call *call, __u64 result)
{
    __u64 bytes = 0;

    if (call->role != PS_ROLE_WRITE_EX && call->role != PS_ROLE_READ_EX)
        return (int)result > 0 ? (__u32)result : 0;
    if ((int)result != 1)
        return 0;
    if (bpf_probe_read_user(&bytes, sizeof(bytes), (const void *)call->count))
        count_lost(PS_LOSS_UNREADABLE, 0);
    return bytes;
}

/* A write that, for all we know, went into a memory buffer. */
static __always_inline void await_send(struct ps_thread *thread, __u64 tls, __u64 bytes)
{
    if (!thread->unsent_tls) {
        thread->unsent_tls = tls;
        thread->unsent_bytes = 0;
        thread->unsent_writes = 0;
    } else if (thread->unsent_tls != tls) {
        thread->unsent_tls = PS_UNSENT_MIXED;
    }
    thread->unsent_bytes += bytes;
    thread->unsent_writes++;
}

static __always_inline int leave_call(struct pt_regs *ctx, bool sleepable)
{
    __u64 cookie = bpf_get_attach_cookie(ctx);
    __u64 frame = cookie_frame(cookie, ctx);
    __u32 role = cookie_role(cookie);
    __u64 id = bpf_get_current_pid_tgid();
    __u32 pid = id >> 32;
    struct ps_thread *thread = bpf_map_lookup_elem(&threads, &id);
    struct ps_traced *process;
    struct ps_call call = {};

    if (!thread)
        return 0;
    for (int i = 0; i < PS_CALLS; i++) {
        struct ps_call *other = &thread->calls[i];

        if (other->frame == frame && other->role == role) {
            call = *other;
            other->frame = 0;
            break;
        }
    }
    process = bpf_map_lookup_elem(&traced, &pid);
    /* Tracing may have ended during the call. */
    if (!call.frame || !process)
        return 0;
    if (role == PS_ROLE_NEW || role == PS_ROLE_NEW_KNOWN) {
        begin_connection(PT_REGS_RC(ctx), process);
        return 0;
    }

    struct ps_connection_key key = key_of(call.tls);
    struct ps_connection *connection = connection_of(&key, process);

    if (!connection) {
        count_lost(PS_LOSS_TABLE_FULL, 0);
        return 0;
    }
    if (role == PS_ROLE_SET_SERVER_NAME || role == PS_ROLE_CTRL_SERVER_NAME) {
        emit_name(&key, connection, call.buffer, PS_SERVER_NAME_BYTES);
        return 0;
    }
    if (role == PS_ROLE_TYPED_SERVER_NAME) {
        emit_name(&key, connection, call.buffer, call.count);
        return 0;
    }
    if (role == PS_ROLE_GET_SERVER_NAME) {
        emit_name(&key, connection, PT_REGS_RC(ctx), PS_SERVER_NAME_BYTES);
        return 0;
    }

    struct ps_emission emission = {
        .key = key,
        .birth_ns = connection->birth_ns,
        .buffer = call.buffer,
        .bytes = bytes_moved(&call, PT_REGS_RC(ctx)),
        .from_start = connection->from_start,
        .direction = is_read(role) ? PS_DIRECTION_IN : PS_DIRECTION_OUT,
        .file = cookie_file(cookie),
    };
    if (!emission.bytes)
        return 0;
    emission.position = connection->position[emission.direction & 1];
    connection->position[emission.direction & 1] += emission.bytes;
    if (!is_write(role)) {
        if (thread->unsent_tls != call.tls)
            thread->unsent_tls = 0;
    } else if (connection->socket_known != PS_SOCKET_NESTED) {
        await_send(thread, call.tls, emission.bytes);
    }
    emit_data(&emission, sleepable);
    return 0;
}

/* Sleepable, so that a payload on a page not yet touched is faulted in rather than lost. */
SEC("uprobe.s")
int leave(struct pt_regs *ctx)
{
    return leave_call(ctx, true);
}

SEC("uprobe")
int leave_atomic(struct pt_regs *ctx)
{
    return leave_call(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
