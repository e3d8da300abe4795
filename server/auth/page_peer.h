#pragma once

namespace bitwright::server {

// Metadata of a call that the web page of this process makes for somebody: "web:" and the address of the browser, which
// is then the peer of the call. What a call from a network says by this name counts for nothing.
inline constexpr char kPeerOfPage[] = "x-bitwright-page-peer";

}  // namespace bitwright::server
