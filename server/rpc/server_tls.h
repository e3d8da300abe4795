#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/base/file_stamp.h"

namespace grpc {
class ServerCredentials;
}

namespace bitwright::server {

// PEM files: the server's certificate with those between it and a root, its key, and the roots of clients'
// certificates. No client_ca: clients need none. All empty: plaintext.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;

  bool on() const { return !certificate.empty(); }
};

// The server's side of TLS 1.2 and newer, with certificates that may be renewed while it runs. Open and Look are of one
// thread.
// gRPC 1.51 watches files, but a certificate and a key that do not belong together, as they stand between two steps of
// a renewal, end its service until they do. So it is given a copy (mode 0600), changed in one step, and only to what
// was found good; that is also why the copy of certificate and key is one file.
class ServerTls {
 public:
  // `folder` is for the copies; made when it is missing. TLS_OPTIONS_INCOMPLETE, TLS_FILE_UNREADABLE, TLS_FILE_INVALID,
  // TLS_KEY_MISMATCH: before anything listens. UNAVAILABLE, reason TLS_COPY_UNWRITABLE.
  static absl::StatusOr<std::unique_ptr<ServerTls>> Open(const TlsFiles& files, const std::string& folder);

  // To be called each second: takes up renewed files, for connections that are made from then on (within two seconds).
  // What is wrong with them is said once in the log, and the ones of before stay.
  void Look();

  // For a listening port; outlives this. With client_ca a connection without a certificate that it signed is refused.
  std::shared_ptr<grpc::ServerCredentials> Credentials() const;

  // The copies: certificate, issuers and key in one file, and the roots of clients' certificates (empty: none). They
  // are replaced in one step.
  std::string identity_file() const { return IdentityCopy(); }
  std::string client_ca_file() const { return files_.client_ca.empty() ? "" : ClientCaCopy(); }

 private:
  struct Stamps {
    FileStamp certificate, key, client_ca;
    friend bool operator==(const Stamps&, const Stamps&) = default;
  };
  ServerTls(const TlsFiles& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  Stamps Stamp() const;
  absl::Status Copy();
  std::string IdentityCopy() const { return folder_ + "/identity.pem"; }
  std::string ClientCaCopy() const { return folder_ + "/client-ca.pem"; }

  const TlsFiles files_;
  const std::string folder_;
  Stamps seen_;
};

// OK, or TLS_OPTIONS_INCOMPLETE.
absl::Status CheckTlsOptions(const TlsFiles& files);

}  // namespace bitwright::server
