#pragma once

#include <memory>

#include "proto/transfer/token_source.h"

namespace grpc::experimental {
class ClientInterceptorFactoryInterface;
}

namespace bitwright {

// What puts the token into the metadata of every call of a channel ("authorization: Bearer …"), whatever kind of call
// it is and whether the channel is encrypted or not. A call that is answered with UNAUTHENTICATED makes it read the
// file again: when that gives another token, the call ends with UNAVAILABLE, reason TOKEN_RENEWED, which every caller
// tries again; the next answer of this kind, to the new token, is final.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> TokenInterceptor(
    std::shared_ptr<TokenSource> source);

}  // namespace bitwright
