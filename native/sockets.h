// What is asked of sockets: those of another process, and the network namespace that one is made in.
#pragma once

#include <cstdint>

namespace plainsight {

/** A copy of another process's descriptor, to be closed by the caller; or -errno. */
int TakeSocket(int pid, int descriptor);

/** Cookie of the network namespace of this thread. Gives 0, or an errno. */
int NetworkNamespaceCookie(uint64_t &cookie);

}  // namespace plainsight
