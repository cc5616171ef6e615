#include "sockets.h"

#include <cerrno>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace plainsight {

namespace {

constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE of Linux 5.14; older headers lack it

}  // namespace

int TakeSocket(int pid, int descriptor) {
    const int pidfd = syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) return -errno;
    const int taken = syscall(SYS_pidfd_getfd, pidfd, descriptor, 0);
    const int error = errno;
    close(pidfd);
    return taken < 0 ? -error : taken;
}

int NetworkNamespaceCookie(uint64_t &cookie) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    socklen_t bytes = sizeof(cookie);
    const int error = getsockopt(fd, SOL_SOCKET, kNetnsCookie, &cookie, &bytes) ? errno : 0;
    close(fd);
    return error;
}

}  // namespace plainsight
