#include <httplib.h>

#include <functional>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/bench/service/daemon.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/row.h"
#include "tests/bench/service/scenarios.h"
#include "tests/bench/service/workload.h"

namespace bitwright::server {
namespace {

constexpr int kRounds = 40;
constexpr int kDeep = 20;  // pages from the first one
constexpr int kPage = 50;  // jobs of one, as the web page asks for them

Latencies Timed(const std::function<void()>& call) {
  Latencies latencies;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = NowSeconds();
    call();
    latencies.Add(NowSeconds() - begin);
  }
  return latencies;
}

std::string Body(httplib::Client& web, const std::string& path) {
  const httplib::Result answer = web.Get(path.c_str());
  CHECK(answer && answer->status == 200) << path << " is not answered";
  return answer->body;
}

// The address of a part of a page, such as its stylesheet, as a browser reads it; empty: it has none.
std::string LinkAfter(const std::string& html, const std::string& before) {
  const size_t begin = html.find(before);
  if (begin == std::string::npos) return "";
  const size_t at = begin + before.size();
  return absl::StrReplaceAll(html.substr(at, html.find('"', at) - at), {{"&amp;", "&"}});
}

}  // namespace

void MeasurePages(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir);
  Calls calls(daemon.address());
  const Workload workload(calls);
  CreateJobs(daemon.address(), workload, options.jobs, options.clients);

  httplib::Client web(daemon.web_address());
  web.set_keep_alive(true);
  const std::string queue = "/jobs?state=queued&order=oldest";
  const std::string first = Body(web, "/jobs");
  const std::string style = LinkAfter(first, "<link rel=\"stylesheet\" href=\"");
  std::string deep = "/jobs";
  for (int page = 0; page < kDeep; ++page) {
    const std::string next = LinkAfter(Body(web, deep), "<a rel=\"next\" href=\"");
    if (next.empty()) break;
    deep = next;
  }

  v1::ListJobsRequest request;
  request.set_page_size(kPage);
  const Latencies listed =
      Timed([&] { Calls::Must<v1::ListJobsResponse>(*calls.jobs, &v1::JobService::Stub::ListJobs, request); });
  const double base = listed.Quantile(0.5);
  Row row(absl::StrCat("pages ", options.jobs));
  row.Value("ListJobs p50", 1e3 * base, "ms");
  row.Value("static file p50", 1e3 * Timed([&] { Body(web, style); }).Quantile(0.5), "ms");
  for (const auto& [name, path] :
       std::map<std::string, std::string>{{"newest", "/jobs"}, {"queue", queue}, {"deep", deep}}) {
    const Latencies taken = Timed([&web, path = path] { Body(web, path); });
    row.Value(name + " p50", 1e3 * taken.Quantile(0.5), "ms")
        .Value(name + " p99", 1e3 * taken.Quantile(0.99), "ms")
        .Value(name + " by ListJobs", taken.Quantile(0.5) / base, "x");
  }
  row.Print();
}

}  // namespace bitwright::server
