/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The record contract: what the programs in bpf/ write into the ring buffer, as it reaches the analyzer.
 * The TypeScript layout (src/analyzer/capture/layout.ts) is generated from this file by scripts/layout.mjs.
 * Every record starts with struct ps_header; payloads follow their struct directly.
 */
#ifndef PLAINSIGHT_EVENTS_H
#define PLAINSIGHT_EVENTS_H

#include <linux/types.h>

/* Largest payload of one data record. A longer call arrives as several records with rising position. */
#define PS_CHUNK_BYTES 32768

/* Longest part of one packet that a hello record carries: more than the largest TLS record (RFC 8446, 5.1). */
#define PS_HELLO_CHUNK_BYTES 20480

/* Longest server name, as RFC 1035 bounds a host name. */
#define PS_SERVER_NAME_BYTES 256

enum ps_record {
    PS_RECORD_DATA = 1,        /* plaintext of one SSL_read or SSL_write, or a part of it */
    PS_RECORD_FREE = 2,        /* the connection's TLS object was freed */
    PS_RECORD_SERVER_NAME = 3, /* the client named the server (SNI) */
    PS_RECORD_SOCKET = 4,      /* the connection's addresses became known */
    PS_RECORD_EXEC = 5,
    PS_RECORD_EXIT = 6,
    PS_RECORD_FORK = 7,
    PS_RECORD_LIBRARY = 8, /* the dynamic linker has mapped libraries */
    PS_RECORD_HELLO = 9,   /* a packet with a part of a ClientHello */
    PS_RECORD_OWNER = 10,  /* whose a connection is, of which a hello was told before that was known */
    PS_RECORD_CLOSED = 11, /* a connection of which a hello was told has ended */
    PS_RECORD_OPEN = 12,   /* one that goes on; told on request */
    PS_RECORD_ELSEWHERE = 13, /* a process begins connections that are for the proxy in another network namespace */
};

enum ps_role {
    PS_ROLE_WRITE = 1,
    PS_ROLE_READ = 2,
    PS_ROLE_WRITE_EX = 3,
    PS_ROLE_READ_EX = 4,
    PS_ROLE_FREE = 5,
    PS_ROLE_SET_SERVER_NAME = 6,
    PS_ROLE_GET_SERVER_NAME = 7,
    PS_ROLE_CTRL_SERVER_NAME = 8,
    PS_ROLE_NEW = 9,
    PS_ROLE_LIBRARY = 10,
    PS_ROLE_GO_WRITE = 11,
    PS_ROLE_GO_READ = 12,
    PS_ROLE_GO_HANDSHAKE = 13,
    PS_ROLE_GO_CLOSE = 14,
    /* Of functions that also serve what is no TLS: they count for an object whose creation was seen, and no other. */
    PS_ROLE_WRITE_KNOWN = 15,
    PS_ROLE_READ_KNOWN = 16,
    PS_ROLE_RECEIVE_KNOWN = 17, /* a read whose fourth argument may ask for a look ahead */
    PS_ROLE_NEW_KNOWN = 18,
    PS_ROLE_TYPED_SERVER_NAME = 19, /* the name's kind, the name, and its length */
};

enum ps_direction {
    PS_DIRECTION_OUT = 0,
    PS_DIRECTION_IN = 1,
};

/* What is done with a connection by its server's name, where connections are blocked. */
enum ps_verdict {
    PS_VERDICT_NONE = 0,
    PS_VERDICT_HELD = 1, /* the name is in a later packet, which waits until the whole hello was judged */
    PS_VERDICT_ALLOWED = 2,
    PS_VERDICT_BLOCKED = 3,
};

/* What a TCP connection's client has said behind its ClientHello, as the heads of its TLS records tell. */
enum ps_said {
    PS_SAID_UNKNOWN = 0,
    PS_SAID_HANDSHAKE = 1, /* nothing, or what makes a handshake or breaks it off */
    PS_SAID_DATA = 2,
};

/* Why something that should have been recorded was not; index into the counters map. */
enum ps_loss {
    PS_LOSS_RING_FULL = 0,
    PS_LOSS_UNREADABLE = 1, /* the payload's pages could not be read */
    PS_LOSS_TABLE_FULL = 2, /* no room to remember a call or connection */
    PS_LOSS_REASONS = 3,
};

struct ps_header {
    __u32 record; /* enum ps_record */
    __u32 pid;    /* thread group */
    __u32 tid;
    __u32 reserved;
    __u64 monotonic_ns;
};

/* A connection is (pid, tls, birth): the TLS object's address is used again after it is freed. */
struct ps_data {
    struct ps_header header;
    __u64 tls;
    __u64 birth_ns;     /* when the connection was first seen */
    __u64 position;     /* bytes of this direction before this record, since birth */
    __u32 payload_bytes; /* bytes that follow; 0 when they could not be read */
    __u32 unreadable_bytes; /* bytes at this position that could not be read from the process */
    __u8 direction;     /* enum ps_direction */
    __u8 from_start;    /* the TLS object's creation was seen, so position 0 is the connection's first byte */
    __u16 reserved;
    __u32 file;         /* whose probes these are, as the plan that attached them numbers it */
};

struct ps_free {
    struct ps_header header;
    __u64 tls;
    __u64 birth_ns;
};

struct ps_server_name {
    struct ps_header header;
    __u64 tls;
    __u64 birth_ns;
    __u32 name_bytes;
    __u32 reserved;
    char name[PS_SERVER_NAME_BYTES];
};

struct ps_socket {
    struct ps_header header;
    __u64 tls;
    __u64 birth_ns;
    __u16 family; /* AF_INET or AF_INET6 */
    __u16 local_port;
    __u16 remote_port;
    __u16 reserved;
    __u8 local[16]; /* network order; an IPv4 address is in the first four bytes */
    __u8 remote[16];
};

struct ps_process {
    struct ps_header header;
    __u32 parent_pid;
    __u32 reserved;
    char command[16];
};

/*
 * The two ends of a connection as one of them sees it. Addresses are in network order, an IPv4 address (of IPv4-mapped
 * sockets, too) is in the first four bytes and the rest is zero; ports are in the machine's order.
 */
struct ps_ends {
    __u8 local[16];
    __u8 remote[16];
    __u16 local_port;
    __u16 remote_port;
    __u16 family; /* AF_INET or AF_INET6 */
    __u16 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
};

/* A packet with a part of a ClientHello; its bytes follow. The header's pid is 0 where the owner is not known yet. */
struct ps_hello {
    struct ps_header header;
    struct ps_ends ends;
    __u64 socket; /* tells connections of the same ends apart; 0: not of a socket of this host */
    __u32 interface; /* index */
    __u32 start; /* TCP: sequence number of the hello's first byte; QUIC: another for each connection */
    __u32 offset; /* TCP: of these bytes from there */
    __u32 payload_bytes;
    __u8 direction; /* enum ps_direction, of the end whose packet it is */
    __u8 verdict; /* enum ps_verdict */
    __u8 reserved[6];
    char command[16];
};

/* Of a connection of which a hello was told: whose it is (PS_RECORD_OWNER), what it has carried (the others). */
struct ps_lifetime {
    struct ps_header header;
    struct ps_ends ends;
    __u64 socket;
    __u64 established_ns;
    __u64 bytes_out; /* payload of TCP, each byte counted once; of UDP as it passed */
    __u64 bytes_in;
    char command[16];
    __u8 said; /* enum ps_said */
    __u8 reserved[7];
};

/* Where a connection was going before it was sent to the proxy, and whose it is. Read on request; not in the ring. */
struct ps_redirected {
    __u8 address[16]; /* network order; an IPv4 address is in the first four bytes */
    __u16 family;     /* AF_INET, of IPv4-mapped addresses too, or AF_INET6 */
    __u16 port;
    __u32 pid;  /* thread group */
    __u32 held; /* 1: its program was not judged yet */
};

#endif
