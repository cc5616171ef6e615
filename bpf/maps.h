/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The maps that all programs share (the loader gives objects loaded later the maps of the first), and the few
 * functions over them that more than one program needs.
 */
#ifndef PLAINSIGHT_MAPS_H
#define PLAINSIGHT_MAPS_H

#include <linux/bpf.h>
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
    /* A write that returned without a system call (memory BIO): the thread's next send carries its ciphertext. */
    __u64 unsent_tls;
    __u64 unsent_bytes;
};

struct ps_connection_key {
    __u32 pid;
    __u32 reserved;
    __u64 tls;
};

struct ps_connection {
    __u64 birth_ns;
    __u64 position[2]; /* by enum ps_direction */
    __u32 from_start;
    __u32 socket_known;
};

struct ps_lost {
    __u64 records;
    __u64 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

/* Thread groups whose records are kept; the value is a set of PS_TRACED_ flags. */
#define PS_TRACED_CHILDREN 1
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32);
    __type(value, __u32);
} traced SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 32768);
    __type(key, __u64);
    __type(value, struct ps_thread);
} threads SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct ps_connection_key);
    __type(value, struct ps_connection);
} connections SEC(".maps");

/* By enum ps_loss. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PS_LOSS_REASONS);
    __type(key, __u32);
    __type(value, struct ps_lost);
} losses SEC(".maps");

static __always_inline void count_lost(__u32 reason, __u64 bytes)
{
    struct ps_lost *lost = bpf_map_lookup_elem(&losses, &reason);

    if (lost) {
        __sync_fetch_and_add(&lost->records, 1);
        __sync_fetch_and_add(&lost->bytes, bytes);
    }
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

/* The connection's entry, made when it is first seen. */
static __always_inline struct ps_connection *connection_of(struct ps_connection_key *key)
{
    struct ps_connection *connection = bpf_map_lookup_elem(&connections, key);

    if (connection)
        return connection;
    struct ps_connection fresh = { .birth_ns = bpf_ktime_get_ns() };
    bpf_map_update_elem(&connections, key, &fresh, BPF_NOEXIST);
    return bpf_map_lookup_elem(&connections, key);
}

#endif
