// The consumer's side of a BPF ring buffer, in whole blocks: finished records are moved as they are, with their
// headers, because a call per record costs more than the record (kernel/bpf/ringbuf.c has the layout).
#pragma once

#include <cstddef>
#include <cstdint>

namespace plainsight {

class Ring {
   public:
    Ring() = default;
    ~Ring();
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    // Maps the ring of this map descriptor. Gives 0 or -errno.
    int Open(int map_fd, size_t bytes);
    // Moves as many finished records as fit; gives the bytes written.
    size_t Drain(uint8_t *target, size_t room);
    bool HasRecord() const;

   private:
    size_t bytes_ = 0;
    size_t page_ = 0;
    uint64_t *consumer_ = nullptr;        // one writable page
    const uint64_t *producer_ = nullptr;  // one page, then the data twice in a row
    const uint8_t *data_ = nullptr;
};

}  // namespace plainsight
