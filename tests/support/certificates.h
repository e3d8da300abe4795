#pragma once

#include <memory>
#include <string>

namespace bitwright {

// A certificate with its key, as PEM texts.
struct TestIdentity {
  std::string certificate;
  std::string key;
};

// Signs certificates, all made anew and valid for an hour.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();

  // Of the authority itself, as PEM: what others check with.
  std::string certificate() const;
  // For a server or a client. `names`: of the subject, as OpenSSL writes them, "DNS:localhost,IP:127.0.0.1".
  TestIdentity Issue(const std::string& common_name, const std::string& names = "DNS:localhost,IP:127.0.0.1") const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright
