// The pages of a real server, without HTTP; its worker is played by the test.
#include "server/web/site.h"

#include <regex>

#include "client/api/client.h"
#include "proto/base/files.h"
#include "proto/transfer/channel.h"
#include "server/app/app_errors.h"
#include "server/web/routes.h"
#include "server/web/site_files.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/test_server.h"
#include "tests/unit/server/support/tokens.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// In an element, an attribute in either quotes, a script and a template, each would end or begin something.
constexpr char kHostile[] = "</title><script>alert(1)</script>\"'{{csrf}}{{{body}}}";

class SiteTest : public ::testing::Test {
 protected:
  void StartSite(const std::function<void(Options&)>& change = nullptr, SiteOptions options = {}) {
    server_ = std::make_unique<TestServer>(clock_, ServerFakes(), change);
    const auto open = [this](const std::map<std::string, std::string>& metadata) { return OpenWith(metadata); };
    options.version = "9.9";
    site_ = std::make_unique<Site>(options, open, clock_);
  }

  // As the server's own does, but over its socket.
  std::shared_ptr<grpc::Channel> OpenWith(const std::map<std::string, std::string>& metadata) {
    const auto token = metadata.find("authorization");
    if (token == metadata.end()) return server_->calls->channel;
    const std::string file = server_->dir / "token";
    BITWRIGHT_EXPECT_OK(WritePrivateFile(file, token->second.substr(7) + "\n", DataFileUnwritableError));
    return *OpenChannel(server_->server->address(), {.token_file = file});
  }

  HttpResponse Get(const std::string& path, std::multimap<std::string, std::string> query = {}) {
    HttpRequest request{.method = "GET", .path = path, .query = std::move(query), .headers = headers_, .peer = "test"};
    return site_->Answer(request);
  }

  HttpResponse Post(const std::string& path, HttpForm form) {
    HttpRequest request{.method = "POST", .path = path, .headers = headers_, .peer = "test"};
    request.read_form = [&form](int64_t) -> absl::StatusOr<HttpForm> { return form; };
    return site_->Answer(request);
  }

  // The secret that forms of a page carry.
  std::string Csrf(const std::string& page) {
    std::smatch match;
    const std::string body = Get(page).body;
    return std::regex_search(body, match, std::regex("name=\"csrf\" value=\"([0-9a-f]+)\"")) ? match[1].str() : "";
  }

  static std::string Header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  v1::Model MakeModel() {
    auto connection = *client::Connect({.address = server_->server->address()});
    v1::CreateModelRequest request;
    request.set_display_name(kHostile);
    for (const char* path : {"config.json", "model.safetensors", "tokenizer.json"}) {
      v1::FileEntry* file = request.mutable_manifest()->add_files();
      file->set_path(path);
      *file->mutable_digest() = ToProto(server_->calls->Put(path));
    }
    const v1::Model model = *connection->CreateModel(request);
    server_->calls->RunTasks(1);
    // What the task found is written after its completion was acknowledged.
    v1::GetModelRequest asked;
    asked.set_name(model.name());
    const MonotonicTime deadline = clock_.Monotonic() + absl::Seconds(60);
    while (connection->GetModel(asked)->state() != v1::Model::READY && clock_.Monotonic() < deadline) {
    }
    return model;
  }

  // Through the form of the model's page. Its path.
  std::string Submit(const v1::Model& model) {
    HttpForm form;
    form.fields = {{"csrf", Csrf("/" + model.name())}, {"model", model.name().substr(7)},
                   {"target", "compressed-tensors"},   {"budget", "4.25bpw"},
                   {"recipe", "mixed-gptq"},           {"display_name", kHostile},
                   {"calibration", "sample"},          {"request_id", "once"}};
    form.files.push_back({.field = "evaluation_file", .name = kHostile, .bytes = "a text of its own"});
    const HttpResponse answer = Post("/jobs", form);
    EXPECT_EQ(answer.status, 303) << answer.body;
    return Header(answer, "Location");
  }

  const SystemClock clock_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<Site> site_;
  std::map<std::string, std::string> headers_ = {{"host", "localhost:7073"}};
};

TEST_F(SiteTest, NoPageTakesTextOfOthersForMarkup) {
  StartSite();
  const v1::Model model = MakeModel();
  const std::string job = Submit(model);
  const auto check = [&](const std::string& path, std::multimap<std::string, std::string> query = {}) {
    const HttpResponse page = Get(path, std::move(query));
    EXPECT_EQ(page.status, 200) << path << page.body;
    EXPECT_THAT(page.body, Not(HasSubstr("<script>"))) << path;
    EXPECT_THAT(page.body, Not(HasSubstr("\"'{{"))) << path;
    return page.body;
  };
  EXPECT_THAT(check("/jobs"), HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&apos;{{csrf}}{{{body}}}"));
  check(job);
  check("/jobs", {{"filter", "display_name = \"\\\"'{{x}}<script>\""}});
  EXPECT_THAT(check("/models"), HasSubstr("&lt;/title&gt;"));
  check("/" + model.name(), {{"display_name", kHostile}, {"budget", kHostile}, {"priority", kHostile}});
  check("/" + model.name() + "/estimate", {{"budget", kHostile}});
  server_->calls->RunTasks(1000);
  EXPECT_THAT(check(job), HasSubstr("succeeded"));
  check(job + "/tasks");
  check("/" + model.name());
  check("/workers");
  check("/recipes");
  check("/recipes/mixed-gptq");
  const HttpResponse report = Get(job + "/report");
  EXPECT_EQ(report.status, 200);
  EXPECT_THAT(report.body, Not(HasSubstr("<script>")));
  const HttpResponse missing = Get("/" + std::string(kHostile));
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, Not(HasSubstr("<script>")));
}

TEST_F(SiteTest, OnlyTheLayoutTakesMarkup) {
  for (const char* name : {"_estimate", "_form", "_outcome", "_progress", "error", "job", "jobs", "model", "models",
                           "recipe", "recipes", "sign_in", "tasks", "workers"}) {
    const std::string text(SiteFile(std::string(name) + ".mustache"));
    ASSERT_FALSE(text.empty()) << name;
    EXPECT_THAT(text, Not(HasSubstr("{{{"))) << name;
    EXPECT_THAT(text, Not(HasSubstr("{{&"))) << name;
    EXPECT_THAT(text, Not(HasSubstr("style="))) << name << ": the policy forbids it";
    EXPECT_THAT(text, Not(HasSubstr("://"))) << name << ": nothing of other sites";
  }
}

TEST_F(SiteTest, EveryAnswerSaysWhatABrowserMayDoWithIt) {
  StartSite();
  for (const char* path : {"/", "/jobs", "/workers", "/nothing", "/assets/app.js"}) {
    const HttpResponse page = Get(path);
    const std::string policy = Header(page, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"))
        << path;
    EXPECT_THAT(policy, HasSubstr("form-action 'self'; frame-ancestors 'none'; base-uri 'none'")) << path;
    EXPECT_EQ(Header(page, "X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(Header(page, "Referrer-Policy"), "same-origin") << path;
    EXPECT_NE(Header(page, "Cache-Control"), "") << path;
  }
  EXPECT_EQ(Header(Get("/jobs"), "Cache-Control"), "no-store");
  EXPECT_THAT(Header(Get("/assets/chart.min.js", {{"v", "1"}}), "Cache-Control"), HasSubstr("immutable"));
}

TEST_F(SiteTest, AFormNeedsTheSecretOfItsSession) {
  StartSite();
  const std::string job = Submit(MakeModel());
  EXPECT_EQ(Post(job + "/cancel", {}).status, 403);
  EXPECT_THAT(Post(job + "/cancel", {.fields = {{"csrf", "wrong"}}}).body, HasSubstr("FORM_EXPIRED"));
  const HttpForm right{.fields = {{"csrf", Csrf(job)}}};
  headers_["sec-fetch-site"] = "cross-site";
  EXPECT_THAT(Post(job + "/cancel", right).body, HasSubstr("CROSS_SITE_REFUSED"));
  headers_["sec-fetch-site"] = "same-origin";
  EXPECT_EQ(Get(job + "/cancel").status, 404) << "a link changes nothing";
  EXPECT_THAT(Get(job).body, HasSubstr("queued"));
  EXPECT_EQ(Post(job + "/cancel", right).status, 303);
  EXPECT_THAT(Get(job).body, HasSubstr("cancelled"));
  EXPECT_THAT(Header(Post(job + "/retry", right), "Location"), testing::StartsWith("/jobs/"));
}

TEST_F(SiteTest, ANameOfAnotherSiteReadsNothing) {
  StartSite();
  headers_["host"] = "evil.example:7073";
  const HttpResponse page = Get("/jobs");
  EXPECT_EQ(page.status, 403);
  EXPECT_THAT(page.body, HasSubstr("HOST_REFUSED"));
}

TEST_F(SiteTest, PagesFollowAJobUpToANumberAndToItsEnd) {
  StartSite(nullptr, {.most_streams = 1});
  const std::string job = Submit(MakeModel());
  HttpResponse first = Get(job + "/events");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.content_type, "text/event-stream");
  EXPECT_THAT(*first.stream->Next(), HasSubstr("event: progress\ndata: "));
  const HttpResponse second = Get(job + "/events");
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(second.body, HasSubstr("STREAMS_FULL"));
  EXPECT_EQ(Get(job).status, 200) << "other pages are answered";
  EXPECT_EQ(Post(job + "/cancel", {.fields = {{"csrf", Csrf(job)}}}).status, 303);
  std::string last;
  std::string event;
  while (!(event = *first.stream->Next()).empty()) last = event;
  EXPECT_THAT(last, HasSubstr("event: end"));
  first.stream.reset();
  EXPECT_EQ(Get(job + "/events").status, 200) << "its place is free again";
  EXPECT_EQ(Get("/jobs/nothing/events").status, 404);
}

TEST_F(SiteTest, FilesComeWithTheirNamesAndLengths) {
  StartSite();
  const std::string job = Submit(MakeModel());
  EXPECT_EQ(Get(job + "/files/0/model.safetensors").status, 404) << "there are none yet";
  server_->calls->RunTasks(1000);
  std::smatch match;
  const std::string body = Get(job).body;
  ASSERT_TRUE(std::regex_search(body, match, std::regex("href=\"(/jobs/[^\"]*/files/0/[^\"]+)\""))) << body;
  const HttpResponse file = Get(match[1]);
  ASSERT_EQ(file.status, 200) << file.body;
  EXPECT_THAT(Header(file, "Content-Disposition"), HasSubstr("attachment; filename=\""));
  std::string bytes;
  for (std::string piece; !(piece = *file.stream->Next()).empty();) bytes += piece;
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), file.stream_bytes);
  EXPECT_THAT(body, HasSubstr(DigestOf(bytes).sha256));
  EXPECT_EQ(Get(job + "/files/0/../../etc/passwd").status, 404);
  EXPECT_EQ(Get(job + "/files/7/model.safetensors").status, 404);
  EXPECT_EQ(Get(job + "/report", {{"goal", "7"}}).status, 400);
}

TEST_F(SiteTest, AFormThatIsRefusedComesBackAsItWasFilledIn) {
  StartSite();
  const v1::Model model = MakeModel();
  const HttpForm form{.fields = {{"csrf", Csrf("/" + model.name())},
                                 {"model", model.name().substr(7)},
                                 {"budget", "99bpw"},
                                 {"display_name", "mine"}}};
  const HttpResponse page = Post("/jobs", form);
  EXPECT_EQ(page.status, 400);
  EXPECT_THAT(page.body, HasSubstr("BUDGET_INVALID"));
  EXPECT_THAT(page.body, HasSubstr("value=\"99bpw\""));
  EXPECT_THAT(page.body, HasSubstr("value=\"mine\""));
}

TEST_F(SiteTest, WithTokensAPageAsksForOne) {
  TempDir files;
  const std::string tokens = files / "tokens";
  BITWRIGHT_ASSERT_OK(WritePrivateFile(tokens, LineFor("alice", {"submitter"}) + LineFor("bob", {"submitter"}, "other"),
                                       DataFileUnwritableError));
  StartSite([&](Options& options) { options.tokens_file = tokens; }, {.asks_for_tokens = true});
  headers_["host"] = "bitwright.example.org";
  const HttpResponse refused = Get("/jobs");
  EXPECT_EQ(refused.status, 303);
  EXPECT_EQ(Header(refused, "Location"), "/sign-in?next=%2Fjobs");
  EXPECT_EQ(Get("/assets/app.css").status, 200);

  const auto sign_in = [&](const std::string& token) {
    return Post("/sign-in", {.fields = {{"csrf", Csrf("/sign-in")}, {"token", token}, {"next", "/workers"}}});
  };
  const HttpResponse wrong = sign_in("wrong");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(Header(wrong, "Set-Cookie"), "");
  const HttpResponse right = sign_in(TokenOf("alice"));
  EXPECT_EQ(right.status, 303);
  EXPECT_EQ(Header(right, "Location"), "/workers");
  const std::string cookie = Header(right, "Set-Cookie");
  EXPECT_THAT(cookie, HasSubstr("; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr(TokenOf("alice")))) << "a browser holds no token";

  const std::string before = Csrf("/sign-in");
  headers_["cookie"] = cookie.substr(0, cookie.find(';'));
  EXPECT_EQ(Get("/jobs").status, 200);
  EXPECT_THAT(Post("/sign-out", {.fields = {{"csrf", before}}}).body, HasSubstr("FORM_EXPIRED")) << "of nobody's page";
  EXPECT_EQ(Post("/sign-out", {.fields = {{"csrf", Csrf("/jobs")}}}).status, 303);
  EXPECT_EQ(Get("/jobs").status, 303);
}

}  // namespace
}  // namespace bitwright::server
