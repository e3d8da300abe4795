// HTTP as clients of any kind speak it, over real sockets.
#include "server/web/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/synchronization/notification.h"
#include "proto/base/owned_fd.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void StartServer(HttpHandler handler, ConnectionLimits limits = {}) {
    HttpServerOptions options{.host = "127.0.0.1", .limits = limits};
    auto started = HttpServer::Start(options, std::move(handler), clock_);
    ASSERT_THAT(started, IsOk());
    server_ = *std::move(started);
  }

  OwnedFd Connect() const {
    OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(server_->port()))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }

  // What comes back until the server closes.
  std::string Ask(const std::string& bytes) const {
    const OwnedFd socket = Connect();
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    return Rest(socket);
  }

  static std::string Rest(const OwnedFd& socket) {
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    return answer;
  }

  const SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

HttpResponse Echo(HttpRequest& request) {
  std::string body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) body += " " + name + "=" + value;
  return {.content_type = "text/plain", .body = body};
}

TEST_F(HttpServerTest, RequestsOfOneConnectionFollowEachOther) {
  StartServer(Echo);
  const std::string answer =
      Ask("GET /a%20b?x=%3C&y=2 HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n\r\n"
          "HEAD /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("GET /a b x=< y=2"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Encoding")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n")) << "HEAD has no body";
}

TEST_F(HttpServerTest, OtherMethodsAreRefusedBeforeTheirBodies) {
  StartServer(Echo);
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "PRI"}) {
    EXPECT_THAT(Ask(std::string(method) + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n"),
                StartsWith("HTTP/1.1 405"))
        << method;
  }
}

TEST_F(HttpServerTest, ALengthThatTwoCouldReadDifferentlyEndsTheConnection) {
  StartServer(Echo);
  for (const char* length : {"Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
                             "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Content-Length: -1\r\n"}) {
    const std::string answer =
        Ask("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(length) + "\r\nabcGET /next HTTP/1.1\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << length;
    EXPECT_THAT(answer, Not(HasSubstr("/next"))) << length;
  }
}

TEST_F(HttpServerTest, AHeaderThatHoldsTheEndOfALineIsRefused) {
  StartServer(Echo);
  for (const char* value : {"a%0D%0AX: y", "a%0aX: y", "a%00b"}) {
    const std::string answer =
        Ask("GET / HTTP/1.1\r\nHost: h\r\nCookie: " + std::string(value) + "\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400")) << value;
  }
}

TEST_F(HttpServerTest, AHeadWithoutEndTakesNeitherMemoryNorTime) {
  StartServer(Echo, {.head_bytes = 4096, .head_time = absl::Milliseconds(200)});
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nX: " + std::string(8192, 'x')), Not(HasSubstr(" 200 ")));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: slow"), Not(HasSubstr(" 200 "))) << "and then nothing";
}

TEST_F(HttpServerTest, FormsHaveFieldsAndFilesUpToALimit) {
  StartServer([](HttpRequest& request) -> HttpResponse {
    const auto form = request.read_form(400);
    if (!form.ok()) return {.status = 413, .content_type = "text/plain", .body = std::string(form.status().message())};
    return {
        .content_type = "text/plain",
        .body = form->Field("a") + "|" + form->files[0].field + "|" + form->files[0].name + "|" + form->files[0].bytes};
  });
  const auto post = [this](const std::string& file) {
    const std::string body =
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n"
        "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"t.txt\"\r\nContent-Type: text/plain\r\n\r\n" +
        file + "\r\n--B--\r\n";
    return Ask("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=B\r\n" +
               ("Content-Length: " + std::to_string(body.size())) + "\r\n\r\n" + body);
  };
  EXPECT_THAT(post("text\r\n--C"), EndsWith("one|f|t.txt|text\r\n--C"));
  EXPECT_THAT(post(std::string(1000, 'x')), HasSubstr("HTTP/1.1 413"));
}

// Says something once, then waits until it is cut off.
class Silent final : public HttpBody {
 public:
  explicit Silent(absl::Notification& ended) : ended_(ended) {}
  absl::StatusOr<std::string> Next() override {
    if (!std::exchange(began_, true)) return std::string("first");
    ended_.WaitForNotificationWithTimeout(absl::Seconds(20));
    return std::string("more");
  }

 private:
  absl::Notification& ended_;
  bool began_ = false;
};

TEST_F(HttpServerTest, StreamsLeavePagesToOthersAndEndWithTheServer) {
  absl::Notification ended;
  StartServer([&ended](HttpRequest& request) {
    HttpResponse response = Echo(request);
    if (request.path == "/stream") response.stream = std::make_shared<Silent>(ended);
    return response;
  });
  std::vector<OwnedFd> streams;
  for (int i = 0; i < 20; ++i) {
    streams.push_back(Connect());
    const std::string request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
    ASSERT_EQ(::send(streams.back().get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    char byte = 0;
    ASSERT_EQ(::recv(streams.back().get(), &byte, 1, 0), 1) << "it has begun";
  }
  EXPECT_THAT(Ask("GET /page HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), HasSubstr("GET /page"));
  ended.Notify();
  server_->Stop();
  EXPECT_THAT(Rest(streams[0]), HasSubstr("first"));
}

}  // namespace
}  // namespace bitwright::server
