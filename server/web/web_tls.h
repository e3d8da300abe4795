#pragma once

#include <openssl/ossl_typ.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/file_stamp.h"

namespace bitwright::server {

// The server's side of TLS for the web page, with certificates that may be renewed while it runs. Look is of one
// thread, all else thread-safe.
class WebTls {
 public:
  // `identity`: a PEM file with certificate, issuers and key; `client_ca`: one with the certificates that signed those
  // of clients, or empty: clients need none. Both are replaced in one step, as server/rpc/server_tls.h does.
  // WEB_TLS_UNUSABLE.
  static absl::StatusOr<std::unique_ptr<WebTls>> Open(std::string identity, std::string client_ca);

  // To be called each second: new connections get what the files hold by then. What is wrong with them is said once in
  // the log, and what was there before stays.
  void Look();

  std::shared_ptr<SSL_CTX> context() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  WebTls(std::string identity, std::string client_ca)
      : identity_(std::move(identity)), client_ca_(std::move(client_ca)) {}
  absl::Status Load() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string identity_;
  const std::string client_ca_;
  FileStamp identity_stamp_;
  FileStamp client_ca_stamp_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
