// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * Raw tracepoints of the scheduler: which processes begin and end, and the children of those that are followed.
 * They need no tracefs.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "events.h"
#include "maps.h"

/* The few kernel fields that are read; libbpf finds their real offsets in the running kernel's BTF. */
typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live;
} __attribute__((preserve_access_index));

struct super_block {
    __u32 s_dev;
} __attribute__((preserve_access_index));

struct inode {
    struct super_block *i_sb;
    unsigned long i_ino;
    long long i_size;
} __attribute__((preserve_access_index));

struct file {
    struct inode *f_inode;
} __attribute__((preserve_access_index));

struct mm_struct {
    struct file *exe_file;
} __attribute__((preserve_access_index));

struct task_struct {
    int pid;
    int tgid;
    struct task_struct *real_parent;
    struct signal_struct *signal;
    struct mm_struct *mm;
} __attribute__((preserve_access_index));

/* One element: whether exec records of processes that are not traced are wanted too (a trace by name waits for them). */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} watch_all SEC(".maps");

/* Programs of which it is known that their connections go direct. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct ps_program);
    __type(value, __u32);
} direct_programs SEC(".maps");

/*
 * A program with a TLS stack of its own is large: the smallest in Go has 5 MiB. One that has not may find its stack in
 * a library, which is probed or looked at when it is loaded.
 */
#define LARGE_PROGRAM_BYTES (4 << 20)

/* Whether the program may have TLS that is not probed, as far as is known. */
static __always_inline bool is_unjudged(struct task_struct *task)
{
    struct inode *file = BPF_CORE_READ(task, mm, exe_file, f_inode);
    struct ps_program program = {};

    if (BPF_CORE_READ(file, i_size) < LARGE_PROGRAM_BYTES)
        return false;
    program.inode = BPF_CORE_READ(file, i_ino);
    program.device = BPF_CORE_READ(file, i_sb, s_dev);
    return !bpf_map_lookup_elem(&direct_programs, &program);
}

/* sched_process_fork(parent, child), include/trace/events/sched.h */
SEC("raw_tp/sched_process_fork")
int forked(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *parent = (struct task_struct *)ctx->args[0];
    struct task_struct *child = (struct task_struct *)ctx->args[1];
    __u32 parent_pid = BPF_CORE_READ(parent, tgid);
    __u32 child_pid = BPF_CORE_READ(child, tgid);
    struct ps_traced *process;

    if (child_pid == parent_pid)
        return 0; /* a thread */
    process = bpf_map_lookup_elem(&traced, &parent_pid);
    if (!process || !(process->flags & PS_TRACED_CHILDREN))
        return 0;
    if (bpf_map_update_elem(&traced, &child_pid, process, BPF_ANY))
        count_lost(PS_LOSS_TABLE_FULL, 0);
    emit_process(PS_RECORD_FORK, child_pid, parent_pid);
    return 0;
}

/* sched_process_exec(task, old_pid, binprm) */
SEC("raw_tp/sched_process_exec")
int executed(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u64 id = bpf_get_current_pid_tgid();
    __u32 pid = id >> 32, zero = 0;
    __u32 *all = bpf_map_lookup_elem(&watch_all, &zero);
    struct ps_traced *process = bpf_map_lookup_elem(&traced, &pid);

    if (!process && !(all && *all))
        return 0;
    if (process && process->flags & PS_TRACED_PROGRAM)
        process->flags &= ~(PS_TRACED_PROXIED | PS_TRACED_PROGRAM);
    if (process) {
        process->flags &= ~PS_TRACED_UNJUDGED;
        if (is_unjudged(task))
            process->flags |= PS_TRACED_UNJUDGED;
    }
    bpf_map_delete_elem(&threads, &id);
    emit_process(PS_RECORD_EXEC, pid, BPF_CORE_READ(task, real_parent, tgid));
    return 0;
}

static __always_inline bool is_last_thread(struct task_struct *task)
{
    return BPF_CORE_READ(task, signal, live.counter) <= 0;
}

/* sched_process_exit(task): by then the exiting thread no longer counts as live, and its files are open still. */
SEC("raw_tp/sched_process_exit")
int exited(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *task = (struct task_struct *)ctx->args[0];
    __u64 id = bpf_get_current_pid_tgid();
    __u32 *proxy = proxy_process_id();
    __u32 pid = id >> 32;

    if (proxy && *proxy == pid && is_last_thread(task))
        *proxy = 0;
    if (!bpf_map_lookup_elem(&traced, &pid))
        return 0;
    bpf_map_delete_elem(&threads, &id);
    if (!is_last_thread(task))
        return 0;
    bpf_map_delete_elem(&traced, &pid);
    emit_process(PS_RECORD_EXIT, pid, BPF_CORE_READ(task, real_parent, tgid));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
