#pragma once

#include <string>

#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "server/web/http.h"
#include "server/web/pages.h"
#include "server/web/permits.h"
#include "server/web/sessions.h"

namespace bitwright::server {

struct SiteOptions {
  bool asks_for_tokens = false;  // the service wants to know who calls
  std::string version;           // of the service
  int most_streams = 64;         // pages that follow a job at once; each has a thread
  int most_submissions = 2;      // forms with texts that arrive at once; each is held in memory
};

// Answers every request: who asks and from where, then the page. Thread-safe.
class Site {
 public:
  // The clock outlives it.
  Site(SiteOptions options, OpenInProcess open, const Clock& clock);

  HttpResponse Answer(HttpRequest& request);
  // Ends the calls of the service that wait; further ones fail.
  void Cancel() { cancel_.Cancel(); }

 private:
  HttpResponse AnswerUnguarded(HttpRequest& request);

  const OpenInProcess open_;
  const Clock& clock_;
  CancelToken cancel_;
  Sessions sessions_;
  Permits streams_;
  Permits submissions_;
  SiteState state_;
};

}  // namespace bitwright::server
