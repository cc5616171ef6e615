#include "ring.h"

#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace plainsight {

int Ring::Open(int map_fd, size_t bytes) {
    page_ = sysconf(_SC_PAGESIZE);
    bytes_ = bytes;
    void *consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (consumer == MAP_FAILED) return -errno;
    consumer_ = static_cast<uint64_t *>(consumer);
    void *producer = mmap(nullptr, page_ + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, page_);
    if (producer == MAP_FAILED) return -errno;
    producer_ = static_cast<const uint64_t *>(producer);
    data_ = static_cast<const uint8_t *>(producer) + page_;
    return 0;
}

Ring::~Ring() {
    if (consumer_) munmap(consumer_, page_);
    if (producer_) munmap(const_cast<uint64_t *>(producer_), page_ + 2 * bytes_);
}

bool Ring::HasRecord() const {
    return __atomic_load_n(consumer_, __ATOMIC_RELAXED) < __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
}

size_t Ring::Drain(uint8_t *target, size_t room) {
    uint64_t consumer = __atomic_load_n(consumer_, __ATOMIC_RELAXED);
    const uint64_t producer = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
    size_t total = 0;
    const uint8_t *start = data_ + (consumer & (bytes_ - 1));

    while (consumer + total < producer) {
        const auto *header = reinterpret_cast<const uint32_t *>(start + total);
        const uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
        if (length & BPF_RINGBUF_BUSY_BIT) break;
        const size_t whole = ((length & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~size_t{7};
        // The data is mapped twice in a row, so one pass may go up to a whole ring beyond any start.
        if (total + whole > room || total + whole > bytes_) break;
        total += whole;
    }
    memcpy(target, start, total);
    __atomic_store_n(consumer_, consumer + total, __ATOMIC_RELEASE);
    return total;
}

}  // namespace plainsight
