#include "server/web/http_server.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/synchronization/mutex.h"
#include "server/web/connection_threads.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr int kMostRequests = 1000;      // of one connection
constexpr size_t kMostPathBytes = 2048;  // the library matches paths by std::regex, which recurses for each byte
constexpr size_t kMostParts = 64;        // of a form

// A connection as the library reads and writes it.
class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(Connection& connection) : connection_(connection) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override { return connection_.Read(data, size); }
  ssize_t write(const char* data, size_t size) override { return connection_.Write(data, size); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = connection_.peer_host();
    port = connection_.peer_port();
  }
  void get_local_ip_and_port(std::string&, int&) const override {}
  // Asked only whether select() could take it, which is not used here.
  socket_t socket() const override { return 0; }

 private:
  Connection& connection_;
};

class ThreadQueue final : public httplib::TaskQueue {
 public:
  explicit ThreadQueue(int most) : threads_(most) {}
  void enqueue(std::function<void()> body) override { threads_.Run(std::move(body)); }
  void shutdown() override { threads_.Join(); }

 private:
  ConnectionThreads threads_;
};

int64_t BodyBytes(const httplib::Request& request) {
  int64_t bytes = 0;
  const std::string text = request.get_header_value("Content-Length");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc() && end == text.data() + text.size() && bytes >= 0 ? bytes : -1;
}

// The length of a body must be known before it is read, and from one header alone: what a proxy took for the end of a
// request must be its end here, too.
bool HasPlainLength(const httplib::Request& request) {
  const size_t lengths = request.get_header_value_count("Content-Length");
  return !request.has_header("Transfer-Encoding") && lengths <= 1 && (lengths == 0 || BodyBytes(request) >= 0);
}

// The library decodes percent signs in values of headers (CVE-2026-45372), so that one may hold the end of a line.
bool HasPlainHeaders(const httplib::Request& request) {
  for (const auto& [name, value] : request.headers) {
    for (const char c : value) {
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t') return false;
    }
  }
  return true;
}

absl::StatusOr<HttpForm> ReadForm(const httplib::Request& request, const httplib::ContentReader& reader,
                                  int64_t most_bytes) {
  if (!request.is_multipart_form_data()) return FormInvalidError("it is not multipart/form-data");
  if (!request.has_header("Content-Length")) return FormInvalidError("it has no Content-Length");
  if (BodyBytes(request) > most_bytes) return FormTooLargeError(most_bytes);
  HttpForm form;
  std::string* value = nullptr;
  size_t parts = 0;
  const bool read = reader(
      [&](const httplib::MultipartFormData& part) {
        if (part.filename.empty()) {
          value = &form.fields.emplace(part.name, "")->second;
        } else {
          form.files.push_back({.field = part.name, .name = part.filename, .bytes = ""});
          value = &form.files.back().bytes;
        }
        return ++parts <= kMostParts;
      },
      [&](const char* data, size_t size) {
        value->append(data, size);
        return true;
      });
  if (!read) return FormInvalidError(parts > kMostParts ? "it has too many parts" : "it ends early or is malformed");
  return form;
}

HttpRequest ToOurs(const httplib::Request& request, bool encrypted) {
  HttpRequest ours{.method = request.method,
                   .path = request.path,
                   .query = request.params,
                   .peer = request.remote_addr + ":" + std::to_string(request.remote_port),
                   .encrypted = encrypted};
  for (const auto& [name, value] : request.headers) ours.headers.emplace(absl::AsciiStrToLower(name), value);
  return ours;
}

void ToTheirs(HttpResponse ours, httplib::Response& response) {
  response.status = ours.status;
  for (auto& [name, value] : ours.headers) response.set_header(name, value);
  if (ours.stream == nullptr) {
    if (!ours.content_type.empty()) response.set_content(ours.body, ours.content_type);
    return;
  }
  const auto send = [stream = ours.stream](httplib::DataSink& sink) {
    const absl::StatusOr<std::string> piece = stream->Next();
    if (!piece.ok()) return false;
    if (piece->empty()) {
      sink.done();
      return true;
    }
    return sink.write(piece->data(), piece->size());
  };
  if (ours.stream_bytes > 0) {
    response.set_content_provider(static_cast<size_t>(ours.stream_bytes), ours.content_type,
                                  [send](size_t, size_t, httplib::DataSink& sink) { return send(sink); });
  } else if (ours.stream_bytes < 0) {
    response.set_chunked_content_provider(ours.content_type,
                                          [send](size_t, httplib::DataSink& sink) { return send(sink); });
  } else {
    response.set_header("Content-Type", ours.content_type);
  }
}

}  // namespace

struct HttpServer::State final : public httplib::Server {
  State(const HttpServerOptions& server_options, HttpHandler page_handler, const Clock& page_clock)
      : options(server_options), handler(std::move(page_handler)), clock(page_clock) {
    new_task_queue = [this] { return new ThreadQueue(options.most_connections); };
    set_keep_alive_max_count(kMostRequests);
    set_keep_alive_timeout(absl::ToInt64Seconds(options.limits.idle_time));
    set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) { return Route(request, response); });
    Post(".*", [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& reader) { Answer(request, response, &reader); });
  }

  HandlerResponse Route(const httplib::Request& request, httplib::Response& response) {
    constexpr int kBadRequest = 400;
    constexpr int kMethodNotAllowed = 405;
    constexpr int kUriTooLong = 414;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (!reads && request.method != "POST") {
      response.set_header("Allow", "GET, HEAD, POST");
      response.status = kMethodNotAllowed;
    } else if (!HasPlainLength(request) || !HasPlainHeaders(request)) {
      response.status = kBadRequest;
    } else if (request.path.size() > kMostPathBytes) {
      response.status = kUriTooLong;
    } else if (reads) {
      Answer(request, response, nullptr);
    } else {
      return HandlerResponse::Unhandled;
    }
    return HandlerResponse::Handled;
  }

  void Answer(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader* reader) {
    HttpRequest ours = ToOurs(request, options.tls != nullptr);
    ours.read_form = [&request, reader](int64_t most_bytes) -> absl::StatusOr<HttpForm> {
      if (reader == nullptr) return FormInvalidError("it has no body");
      return ReadForm(request, *reader, most_bytes);
    };
    ToTheirs(handler(ours), response);
  }

  // In place of the library's own: see connection.h.
  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, options.tls == nullptr ? nullptr : options.tls->context(), options.limits, clock);
    if (!Add(connection)) return false;
    if (connection.Handshake()) Serve(connection);
    if (connection.unread_bytes() > 0) connection.Linger();
    Remove(connection);
    return true;
  }

  void Serve(Connection& connection) {
    for (int served = 1; served <= kMostRequests && connection.AwaitRequest(); ++served) {
      ConnectionStream stream(connection);
      bool closes = false;
      bool began = false;
      const bool answered = process_request(stream, served == kMostRequests, closes, [&](httplib::Request& request) {
        began = true;
        connection.BeginBody(std::max<int64_t>(BodyBytes(request), 0));
        request.ranges.clear();
        request.headers.erase("Accept-Encoding");
      });
      if (!answered || closes || !began || connection.unread_bytes() > 0) return;
    }
  }

  bool Add(Connection& connection) {
    absl::MutexLock lock(&mutex);
    if (!stopped) open.insert(&connection);
    return !stopped;
  }
  void Remove(Connection& connection) {
    absl::MutexLock lock(&mutex);
    open.erase(&connection);
  }
  void CutOff() {
    // The accepting thread closes it: closed by this one, its number could be another file's by the next accept.
    (void)::shutdown(svr_sock_, SHUT_RDWR);
    absl::MutexLock lock(&mutex);
    stopped = true;
    for (Connection* connection : open) connection->Shutdown();
  }
  void AcceptBursts() {
    constexpr int kWaiting = 128;  // the library lets five wait, which a browser alone can fill
    (void)::listen(svr_sock_, kWaiting);
  }

  const HttpServerOptions options;
  const HttpHandler handler;
  const Clock& clock;
  int bound_port = 0;
  std::thread accepting;
  absl::Mutex mutex;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::set<Connection*> open ABSL_GUARDED_BY(mutex);
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, HttpHandler handler,
                                                              const Clock& clock) {
  auto state = std::make_unique<State>(options, std::move(handler), clock);
  const bool bracketed = options.host.starts_with('[');
  const std::string host = bracketed ? options.host.substr(1, options.host.size() - 2) : options.host;
  // Two servers on one port would each get half of the requests, which is what the library's own options allow.
  state->set_socket_options([](socket_t socket) {
    const int yes = 1;
    (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  state->bound_port = options.port == 0                         ? state->bind_to_any_port(host)
                      : state->bind_to_port(host, options.port) ? options.port
                                                                : -1;
  if (state->bound_port <= 0) return WebListenFailedError(options.host + ":" + std::to_string(options.port));
  state->AcceptBursts();
  state->accepting = std::thread([server = state.get()] { server->listen_after_bind(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() { Stop(); }

int HttpServer::port() const { return state_->bound_port; }

void HttpServer::Stop() {
  if (!state_->accepting.joinable()) return;
  state_->CutOff();
  state_->accepting.join();
}

}  // namespace bitwright::server
