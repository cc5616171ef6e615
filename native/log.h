// What libbpf and the verifier say: kept, in bounded memory, for who asks after a failure.
#pragma once

#include <string>

namespace plainsight {

/** From now on libbpf's lines are kept rather than printed. */
void KeepLog();

/** The lines since the last call. */
std::string TakeLog();

}  // namespace plainsight
