// The one shape of every failure: `operation object: the errno's words`, with the errno's name as `code`.
#pragma once

#include <cstring>
#include <napi.h>
#include <string>

namespace plainsight {

/** @param error an errno, negative or not */
inline Napi::Error Failure(Napi::Env env, int error, const std::string &what) {
    const int number = error < 0 ? -error : error;
    Napi::Error failure = Napi::Error::New(env, what + ": " + strerror(number));
    const char *name = strerrorname_np(number);
    failure.Set("code", Napi::String::New(env, name ? name : "UNKNOWN"));
    return failure;
}

}  // namespace plainsight
