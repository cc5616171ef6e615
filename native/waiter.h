// Waits on libuv's pool until the ring has records or the owner closes.
#pragma once

#include <cerrno>
#include <napi.h>
#include <poll.h>
#include <unistd.h>

namespace plainsight {

/** Deletes itself when it is done, as an AsyncWorker does; the descriptors are its own copies. */
class Waiter : public Napi::AsyncWorker {
   public:
    Waiter(Napi::Env env, int ring_fd, int close_fd)
        : Napi::AsyncWorker(env), deferred_(env), ring_fd_(dup(ring_fd)), close_fd_(dup(close_fd)) {}
    ~Waiter() override {
        close(ring_fd_);
        close(close_fd_);
    }
    /** Resolves true when records may be there, false when the owner closed. */
    Napi::Promise Promise() { return deferred_.Promise(); }
    void Execute() override {
        pollfd fds[] = {{ring_fd_, POLLIN, 0}, {close_fd_, POLLIN, 0}};
        while (poll(fds, 2, -1) < 0 && errno == EINTR) {
        }
        open_ = fds[1].revents == 0;
    }
    void OnOK() override { deferred_.Resolve(Napi::Boolean::New(Env(), open_)); }

   private:
    Napi::Promise::Deferred deferred_;
    int ring_fd_;
    int close_fd_;
    bool open_ = false;
};

}  // namespace plainsight
