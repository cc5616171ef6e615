#include "log.h"

#include <bpf/libbpf.h>
#include <cstdio>
#include <utility>

namespace plainsight {

namespace {

std::string g_log;
constexpr size_t kLogBytes = 64 * 1024;

int Keep(enum libbpf_print_level level, const char *format, va_list args) {
    if (level == LIBBPF_DEBUG) return 0;
    char line[4096];
    vsnprintf(line, sizeof(line), format, args);
    g_log += line;
    if (g_log.size() > kLogBytes) g_log.erase(0, g_log.size() - kLogBytes);
    return 0;
}

}  // namespace

void KeepLog() { libbpf_set_print(Keep); }

std::string TakeLog() { return std::exchange(g_log, {}); }

}  // namespace plainsight
