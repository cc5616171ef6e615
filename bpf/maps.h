/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The maps that all programs share (the loader gives objects loaded later the maps of the first), and the few
 * functions over them that more than one program needs.
 */
#ifndef PLAINSIGHT_MAPS_H
#define PLAINSIGHT_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "events.h"

/* Calls of one thread that are in flight at once: TLS inside TLS, an _ex call inside a plain one, coroutines. */
#define PS_CALLS 4

/* A call between its entry and its return. Its frame, the stack pointer at entry, tells it from every other. */
struct ps_call {
    __u64 frame; /* 0: the slot is free */
    __u64 tls;
    __u64 buffer;
    __u64 count; /* _ex calls: address of the size_t that receives the number of bytes */
    __u32 role;
    __u32 reserved;
};

struct ps_thread {
    struct ps_call calls[PS_CALLS];
    /*
     * Writes that returned without a system call (memory BIO): the thread's next send carries their ciphertext. When
     * two objects have written, nobody can tell whose it carries: PS_UNSENT_MIXED, until as many sends as there were
     * writes, or until the thread turns to reading.
     */
    __u64 unsent_tls;
    __u64 unsent_bytes;
    __u64 unsent_writes;
};

#define PS_UNSENT_MIXED (~0ULL)

/*
 * A call of a goroutine. Goroutines change threads, and their stacks move as they grow, so that places on a stack are
 * told by their distance from its high end, which a move keeps.
 */
struct ps_go_call {
    __u64 depth; /* of the stack pointer at entry; 0: the slot is free */
    __u64 tls;
    __u64 buffer; /* an address, or a distance where the buffer is on the stack itself */
    __u64 length;
    __u64 return_address; /* which stays where it is until the call ends */
    __u32 role;
    __u32 buffer_on_stack;
};

struct ps_goroutine {
    struct ps_go_call calls[PS_CALLS];
};

struct ps_goroutine_key {
    __u32 pid;
    __u32 reserved;
    __u64 goroutine; /* address of runtime.g, which r14 holds */
};

/* The first field of runtime.g, runtime/runtime2.go ("offset known to runtime/cgo"); r14+16 is its stackguard0. */
struct ps_go_stack {
    __u64 low;
    __u64 high;
};

struct ps_connection_key {
    __u32 pid;
    __u32 reserved;
    __u64 tls;
};

/* How the connection's socket became known: by a system call within a TLS call, or by one that followed a write. */
#define PS_SOCKET_NESTED 1
#define PS_SOCKET_FOLLOWING 2

struct ps_connection {
    __u64 birth_ns;
    __u64 position[2]; /* by enum ps_direction */
    __u16 from_start;
    __u16 socket_known; /* PS_SOCKET_ */
    __u32 turn; /* of the process's tracing, see struct ps_traced */
};

/*
 * Of a thread group whose records are kept. Each time that tracing of it begins has another turn: what moved on its
 * connections in between was not counted, so they are new ones.
 */
struct ps_traced {
    __u32 flags; /* PS_TRACED_ */
    __u32 turn;
};

/* Its children are traced as it is. */
#define PS_TRACED_CHILDREN 1
/* The connections that it begins go to the proxy. */
#define PS_TRACED_PROXIED 2
/* They do for as long as it runs this program. */
#define PS_TRACED_PROGRAM 4
/* That it begins them in another network namespace was told. */
#define PS_TRACED_ELSEWHERE 8
/* Nobody has looked yet at the program that it runs, which may have TLS that no probe shows. */
#define PS_TRACED_UNJUDGED 16

/* An executable file, as the kernel tells it from others. */
struct ps_program {
    __u64 inode;
    __u32 device;
    __u32 reserved;
};

struct ps_lost {
    __u64 records;
    __u64 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32);
    __type(value, struct ps_traced);
} traced SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 32768);
    __type(key, __u64);
    __type(value, struct ps_thread);
} threads SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 32768);
    __type(key, struct ps_goroutine_key);
    __type(value, struct ps_goroutine);
} goroutines SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct ps_connection_key);
    __type(value, struct ps_connection);
} connections SEC(".maps");

/*
 * One element: the process (thread group) that the local proxy is in. 0 where there is none, and as soon as it ends: its
 * sockets are closed one after the other then, the listening ones last, which would take connections until they are.
 */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} proxy_process SEC(".maps");

/* By enum ps_loss. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PS_LOSS_REASONS);
    __type(key, __u32);
    __type(value, struct ps_lost);
} losses SEC(".maps");

static __always_inline __u32 *proxy_process_id(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&proxy_process, &zero);
}

/* Whether the proxy takes connections, as far as its process tells. */
static __always_inline bool proxy_lives(void)
{
    __u32 *pid = proxy_process_id();

    return pid && *pid;
}

static __always_inline void count_lost(__u32 reason, __u64 bytes)
{
    struct ps_lost *lost = bpf_map_lookup_elem(&losses, &reason);

    if (lost) {
        __sync_fetch_and_add(&lost->records, 1);
        __sync_fetch_and_add(&lost->bytes, bytes);
    }
}

/* Calls that carry plaintext, of libraries in C. */
static __always_inline bool is_read(__u32 role)
{
    return role == PS_ROLE_READ || role == PS_ROLE_READ_EX || role == PS_ROLE_READ_KNOWN ||
           role == PS_ROLE_RECEIVE_KNOWN;
}

static __always_inline bool is_write(__u32 role)
{
    return role == PS_ROLE_WRITE || role == PS_ROLE_WRITE_EX || role == PS_ROLE_WRITE_KNOWN;
}

static __always_inline void fill_header(struct ps_header *header, __u32 record)
{
    __u64 id = bpf_get_current_pid_tgid();

    header->record = record;
    header->pid = id >> 32;
    header->tid = (__u32)id;
    header->reserved = 0;
    header->monotonic_ns = bpf_ktime_get_ns();
}

static __always_inline void emit_process(__u32 record_type, __u32 pid, __u32 parent)
{
    struct ps_process *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

    if (!record) {
        count_lost(PS_LOSS_RING_FULL, 0);
        return;
    }
    fill_header(&record->header, record_type);
    record->header.pid = pid;
    record->parent_pid = parent;
    record->reserved = 0;
    bpf_get_current_comm(record->command, sizeof(record->command));
    bpf_ringbuf_submit(record, 0);
}

/* The goroutine's stack, if the stack pointer is on it. It is not while the runtime works on a stack of its own. */
static __always_inline int read_go_stack(struct ps_go_stack *stack, __u64 goroutine, __u64 sp)
{
    if (bpf_probe_read_user(stack, sizeof(*stack), (const void *)goroutine))
        return -1;
    return sp >= stack->low && sp < stack->high ? 0 : -1;
}

/* The connection's entry, made when it is first seen in this turn of the process's tracing. */
static __always_inline struct ps_connection *connection_of(struct ps_connection_key *key, struct ps_traced *process)
{
    struct ps_connection *connection = bpf_map_lookup_elem(&connections, key);

    if (connection && connection->turn == process->turn)
        return connection;
    struct ps_connection fresh = { .birth_ns = bpf_ktime_get_ns(), .turn = process->turn };
    bpf_map_update_elem(&connections, key, &fresh, BPF_ANY);
    return bpf_map_lookup_elem(&connections, key);
}

#endif
