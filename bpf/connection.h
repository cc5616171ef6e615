/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What the programs at a plaintext boundary do with a connection, whichever library or language it belongs to: it
 * begins, it carries bytes, it ends. How the bytes are found is for each of them.
 */
#ifndef PLAINSIGHT_CONNECTION_H
#define PLAINSIGHT_CONNECTION_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

/* Set by the loader. Copying straight into a dynptr needs Linux 6.16 (a498ee7576de). */
const volatile bool copy_into_dynptr = false;

extern int bpf_copy_from_user_dynptr(struct bpf_dynptr *to, __u64 offset, __u64 bytes, const void *from) __ksym __weak;
extern int bpf_probe_read_user_dynptr(struct bpf_dynptr *to, __u64 offset, __u64 bytes, const void *from) __ksym __weak;

/* The cookie: from the low end 8 bits of role, 24 of the plan's file, 32 of the bias to the frame (tls.bpf.c). */
static __always_inline __u32 cookie_role(__u64 cookie)
{
    return cookie & 0xff;
}

static __always_inline __u32 cookie_file(__u64 cookie)
{
    return (__u32)cookie >> 8;
}

static __always_inline struct ps_connection_key key_of(__u64 tls)
{
    struct ps_connection_key key = { .pid = bpf_get_current_pid_tgid() >> 32, .tls = tls };

    return key;
}

/* The TLS object is gone: the next one may have its address. */
static __always_inline void forget_connection(__u64 tls)
{
    struct ps_connection_key key = key_of(tls);
    struct ps_connection *connection = bpf_map_lookup_elem(&connections, &key);
    struct ps_free *record;

    if (!connection)
        return;
    record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (record) {
        fill_header(&record->header, PS_RECORD_FREE);
        record->tls = tls;
        record->birth_ns = connection->birth_ns;
        bpf_ringbuf_submit(record, 0);
    } else {
        count_lost(PS_LOSS_RING_FULL, 0);
    }
    bpf_map_delete_elem(&connections, &key);
}

static __always_inline void begin_connection(__u64 tls, struct ps_traced *process)
{
    struct ps_connection_key key = key_of(tls);
    struct ps_connection fresh = { .birth_ns = bpf_ktime_get_ns(), .from_start = 1, .turn = process->turn };

    if (tls)
        bpf_map_update_elem(&connections, &key, &fresh, BPF_ANY);
}

/* Slices of a record that is copied without dynptr support: their size must be a constant. */
#define PS_LARGE_SLICE 4096
#define PS_SMALL_SLICE 256

static __always_inline long copy_slice(void *to, __u32 bytes, const void *from, bool sleepable)
{
    return sleepable ? bpf_copy_from_user(to, bytes, from) : bpf_probe_read_user(to, bytes, from);
}

/* Copies by slices into a record whose payload room is a multiple of the small slice. */
static __always_inline long copy_by_slices(struct bpf_dynptr *to, __u32 bytes, __u64 from, bool sleepable)
{
    __u32 done = 0;

    for (int i = 0; i < PS_CHUNK_BYTES / PS_LARGE_SLICE; i++) {
        if (bytes - done < PS_LARGE_SLICE)
            break;
        void *slice = bpf_dynptr_data(to, sizeof(struct ps_data) + done, PS_LARGE_SLICE);
        if (!slice || copy_slice(slice, PS_LARGE_SLICE, (const void *)(from + done), sleepable))
            return -1;
        done += PS_LARGE_SLICE;
    }
    for (int i = 0; i < PS_LARGE_SLICE / PS_SMALL_SLICE; i++) {
        __u64 rest = bytes - done;
        if (!rest)
            break;
        if (rest > PS_SMALL_SLICE)
            rest = PS_SMALL_SLICE;
        asm volatile("" : "+r"(rest));
        if (rest > PS_SMALL_SLICE)
            return -1;
        void *slice = bpf_dynptr_data(to, sizeof(struct ps_data) + done, PS_SMALL_SLICE);
        if (!slice || copy_slice(slice, rest, (const void *)(from + done), sleepable))
            return -1;
        done += rest;
    }
    return 0;
}

static __always_inline long copy_payload(struct bpf_dynptr *to, __u32 bytes, __u64 from, bool sleepable)
{
    if (!copy_into_dynptr)
        return copy_by_slices(to, bytes, from, sleepable);
    if (sleepable)
        return bpf_copy_from_user_dynptr(to, sizeof(struct ps_data), bytes, (const void *)from);
    return bpf_probe_read_user_dynptr(to, sizeof(struct ps_data), bytes, (const void *)from);
}

struct ps_emission {
    struct ps_connection_key key;
    __u64 birth_ns;
    __u64 position; /* of the call's first byte */
    __u64 buffer;
    __u64 bytes;
    __u32 from_start;
    __u32 direction;
    __u32 file;
};

/* One record of at most PS_CHUNK_BYTES. What cannot be kept is counted; the gap in position tells where it was. */
static __always_inline long emit_chunk(__u32 index, struct ps_emission *emission, bool sleepable)
{
    __u64 offset = (__u64)index * PS_CHUNK_BYTES;
    __u64 rest = emission->bytes - offset;
    struct bpf_dynptr record;
    struct ps_data *data;
    __u32 bytes, room;

    if (offset >= emission->bytes)
        return 1;
    bytes = rest < PS_CHUNK_BYTES ? rest : PS_CHUNK_BYTES;
    room = copy_into_dynptr ? bytes : (bytes + PS_SMALL_SLICE - 1) & ~(PS_SMALL_SLICE - 1);
    if (bpf_ringbuf_reserve_dynptr(&events, sizeof(*data) + room, 0, &record)) {
        bpf_ringbuf_discard_dynptr(&record, 0);
        count_lost(PS_LOSS_RING_FULL, bytes);
        return 0;
    }
    data = bpf_dynptr_data(&record, 0, sizeof(*data));
    if (!data) {
        bpf_ringbuf_discard_dynptr(&record, 0);
        return 1;
    }
    __builtin_memset(data, 0, sizeof(*data));
    fill_header(&data->header, PS_RECORD_DATA);
    data->tls = emission->key.tls;
    data->birth_ns = emission->birth_ns;
    data->position = emission->position + offset;
    data->payload_bytes = bytes;
    data->direction = emission->direction;
    data->from_start = emission->from_start;
    data->file = emission->file;
    if (copy_payload(&record, bytes, emission->buffer + offset, sleepable)) {
        /* The record stays, without its payload, so that the reader knows what is missing where. */
        data = bpf_dynptr_data(&record, 0, sizeof(*data));
        if (data) {
            data->payload_bytes = 0;
            data->unreadable_bytes = bytes;
        }
        count_lost(PS_LOSS_UNREADABLE, bytes);
    }
    bpf_ringbuf_submit_dynptr(&record, 0);
    return 0;
}

static long emit_chunk_sleepable(__u32 index, void *emission)
{
    return emit_chunk(index, emission, true);
}

static long emit_chunk_atomic(__u32 index, void *emission)
{
    return emit_chunk(index, emission, false);
}

static __always_inline void emit_data(struct ps_emission *emission, bool sleepable)
{
    __u32 chunks = (emission->bytes + PS_CHUNK_BYTES - 1) / PS_CHUNK_BYTES;

    if (sleepable)
        bpf_loop(chunks, emit_chunk_sleepable, emission, 0);
    else
        bpf_loop(chunks, emit_chunk_atomic, emission, 0);
}

#endif
