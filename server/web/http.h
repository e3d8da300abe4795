#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

// HTTP as the pages see it, without the library that speaks it.
namespace bitwright::server {

// What a form brought.
struct HttpForm {
  struct File {
    std::string field;
    std::string name;  // as the browser gave it: hostile text, and no path
    std::string bytes;
  };
  std::multimap<std::string, std::string> fields;
  std::vector<File> files;  // those that were chosen

  // Of the first field of that name; empty: there is none.
  std::string Field(const std::string& name) const;
  std::vector<std::string> Fields(const std::string& name) const;
};

struct HttpRequest {
  std::string method;  // GET, HEAD or POST
  std::string path;    // decoded, without the query
  std::multimap<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case; of several the first
  std::string peer;                            // "127.0.0.1:50312"
  bool encrypted = false;
  // Reads the body of a POST, multipart/form-data of at most so many bytes; call at most once. FORM_INVALID;
  // FORM_TOO_LARGE, before any of it is read.
  std::function<absl::StatusOr<HttpForm>(int64_t most_bytes)> read_form;

  std::string Header(const std::string& name) const;  // empty: there is none
  std::string Query(const std::string& name) const;   // likewise; of several the first
};

// A body that is made while it is sent. Not thread-safe.
class HttpBody {
 public:
  virtual ~HttpBody() = default;
  // The next bytes; empty: that was all. An error breaks the connection off, so that nobody takes a part for the whole.
  virtual absl::StatusOr<std::string> Next() = 0;
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type;  // empty: there is no body
  std::string body;
  std::shared_ptr<HttpBody> stream;  // in place of `body`
  int64_t stream_bytes = -1;         // of it all; −1: nobody knows

  HttpResponse& With(std::string name, std::string value);
};

using HttpHandler = std::function<HttpResponse(HttpRequest&)>;

// As text of a path or a query of a URL.
std::string UrlEncoded(std::string_view text);

// "attachment" with a file's name, as RFC 6266 has it, for browsers of any age.
std::string AttachmentNamed(std::string_view name);

}  // namespace bitwright::server
