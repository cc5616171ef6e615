/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * Finds the server's name in the first packet of a ClientHello and says whether it is one of those to be blocked. What
 * goes on in another packet or record is not looked for here: it is judged where the hello is put together.
 */
#ifndef PLAINSIGHT_JUDGE_H
#define PLAINSIGHT_JUDGE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "events.h"

/* A record under construction: it is larger than a program's stack. */
struct ps_hello_record {
    struct ps_hello hello;
    __u8 bytes[PS_HELLO_CHUNK_BYTES];
};

/*
 * A name backwards, in lower case: then `*.suffix` is a prefix, which ends with a dot, and a whole name one that ends
 * with a zero.
 */
struct ps_name_key {
    __u32 bits;
    __u8 name[PS_SERVER_NAME_BYTES];
};

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 524288); /* while one list replaces another, both are here */
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct ps_name_key);
    __type(value, __u32);
} blocked_names SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct ps_name_key);
} name_key SEC(".maps");

/* RFC 8446, 4.1.2: header, version, random. */
#define PS_HELLO_FIXED_BYTES (5 + 4 + 2 + 32)
/* Where a hello may still be told from the start: RFC 8446 bounds it by 2^24, clients stay far below this. */
#define PS_HELLO_SPAN (64 * 1024)
/* Looked at in one hello; browsers send about 20. */
#define PS_EXTENSIONS 64

static __always_inline int byte_at(const struct ps_hello_record *record, __u32 bytes, __u32 at)
{
    if (at >= bytes || at >= PS_HELLO_CHUNK_BYTES)
        return -1;
    return record->bytes[at];
}

/* The big-endian number of two bytes, or less than 0 where they are not there. */
static __always_inline int number_at(const struct ps_hello_record *record, __u32 bytes, __u32 at)
{
    int high = byte_at(record, bytes, at), low = byte_at(record, bytes, at + 1);

    return high < 0 || low < 0 ? -1 : high << 8 | low;
}

/* One byte of a name into its key; for bpf_loop, so that the verifier looks at it once. */
struct ps_spelling {
    const struct ps_hello_record *record;
    struct ps_name_key *key;
    __u32 bytes;
    __u32 last; /* where the name's last byte is */
};

static long spell(__u32 i, struct ps_spelling *spelling)
{
    int byte = byte_at(spelling->record, spelling->bytes, spelling->last - i);

    if (byte < 0 || i >= PS_SERVER_NAME_BYTES)
        return 1;
    spelling->key->name[i] = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
    return 0;
}

static __always_inline __u8 judge_name(const struct ps_hello_record *record, __u32 bytes, __u32 at, __u32 length)
{
    __u32 zero = 0;
    struct ps_name_key *key = bpf_map_lookup_elem(&name_key, &zero);
    struct ps_spelling spelling = { .record = record, .key = key, .bytes = bytes };

    // The dot of the root says nothing; more of them are no name, though some server may take it for one.
    if (length && byte_at(record, bytes, at + length - 1) == '.')
        length--;
    if (length && byte_at(record, bytes, at + length - 1) == '.')
        return PS_VERDICT_HELD;
    if (!key || length == 0 || length >= PS_SERVER_NAME_BYTES)
        return PS_VERDICT_ALLOWED;
    spelling.last = at + length - 1;
    __builtin_memset(key->name, 0, sizeof(key->name));
    bpf_loop(length, spell, &spelling, 0);
    key->bits = sizeof(key->name) * 8;
    return bpf_map_lookup_elem(&blocked_names, key) ? PS_VERDICT_BLOCKED : PS_VERDICT_ALLOWED;
}

/* The walk over the extensions, for bpf_loop. */
struct ps_walk {
    const struct ps_hello_record *record;
    __u32 bytes;
    __u32 at;
    __u32 name_at; /* 0: not found */
};

static long next_extension(__u32 i, struct ps_walk *walk)
{
    int type = number_at(walk->record, walk->bytes, walk->at);
    int length = number_at(walk->record, walk->bytes, walk->at + 2);

    (void)i;
    if (type < 0 || length < 0)
        return 1;
    walk->at += 4;
    if (type == 0) {
        walk->name_at = walk->at;
        return 1;
    }
    walk->at += length;
    return 0;
}

/* @bytes: of the record, from the hello's first byte; @end: how many the hello has, as far as is known */
static __always_inline __u8 judge(const struct ps_hello_record *record, __u32 bytes, __u32 end)
{
    __u8 unnamed = bytes >= end && end < PS_HELLO_SPAN ? PS_VERDICT_ALLOWED : PS_VERDICT_HELD;
    int session, suites, methods, length, fragment = number_at(record, bytes, 3);
    struct ps_walk walk = { .record = record };
    __u32 walked;

    // Behind the first TLS record's end is the head of another.
    if (fragment >= 0 && bytes > 5 + (__u32)fragment)
        bytes = 5 + fragment;
    walk.bytes = bytes;
    session = byte_at(record, bytes, PS_HELLO_FIXED_BYTES);
    suites = session < 0 ? -1 : number_at(record, bytes, PS_HELLO_FIXED_BYTES + 1 + session);
    if (suites < 0)
        return unnamed;
    walk.at = PS_HELLO_FIXED_BYTES + 1 + session + 2 + suites;
    methods = byte_at(record, bytes, walk.at);
    if (methods < 0)
        return unnamed;
    walk.at += 1 + methods + 2; // and the length of all extensions
    walked = bpf_loop(PS_EXTENSIONS, next_extension, &walk, 0);
    if (!walk.name_at)
        return walked < PS_EXTENSIONS ? unnamed : PS_VERDICT_HELD;
    // RFC 6066, 3: the length of a list of names, the first one's kind (0: a host), its length.
    if (byte_at(record, bytes, walk.name_at + 2) > 0)
        return PS_VERDICT_HELD;
    length = number_at(record, bytes, walk.name_at + 3);
    if (length < 0 || walk.name_at + 5 + length > bytes)
        return unnamed;
    return judge_name(record, bytes, walk.name_at + 5, length);
}

#endif
