#include "proto/report/html_report.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>
#include <vector>

#include "tests/unit/proto/report/sample_report.h"

namespace bitwright {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The sample, with what it would cost to give units other formats.
v1::Report PricedReport() {
  v1::Report report = SampleReport();
  for (v1::Report::Unit& unit : *report.mutable_units()) {
    unit.clear_options();
    for (const auto& [format, bytes, loss] :
         {std::tuple{"int3-g128", 3, 4e-3}, {"int4-g128", 4, 1e-3}, {"int8-g128", 8, 4e-6}}) {
      v1::Report::Unit::Option& option = *unit.add_options();
      option.set_format(format);
      option.set_bytes(1000 * bytes);
      option.set_loss(loss);
      option.set_measured(option.format() == "int3-g128");
    }
  }
  report.mutable_units(0)->set_format("int4-g128");
  return report;
}

std::vector<v1::Task> Tasks() {
  std::vector<v1::Task> tasks;
  for (const auto& [kind, start, seconds, cached] :
       {std::tuple{"inspect", 100, 0.5, true}, {"calibrate", 101, 4.0, false}, {"calibrate", 103, 4.0, false}}) {
    v1::Task& task = tasks.emplace_back();
    task.set_kind(kind);
    task.set_key(std::string(kind) + "[0]");
    task.mutable_start_time()->set_seconds(start);
    task.set_seconds(seconds);
    task.set_cached(cached);
  }
  return tasks;
}

// Every tag that opens is closed in its turn.
void ExpectNested(const std::string& html) {
  const std::set<std::string> alone = {"meta", "!doctype"};
  std::vector<std::string> open;
  const std::regex tag(R"(<(/?)([!a-z0-9]+)[^<>]*?(/?)>)");
  std::string page = html;
  const size_t style = page.find("<style>");
  page.erase(style, page.find("</style>") - style);  // what is within is no HTML
  page.erase(page.find("</style>"), 8);
  for (std::sregex_iterator i(page.begin(), page.end(), tag), end; i != end; ++i) {
    const std::string name = (*i)[2];
    if (alone.contains(name) || (*i)[3].length() > 0) continue;
    if ((*i)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << "</" << name << ">";
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty()) << open.back();
}

std::vector<std::string> All(const std::string& html, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator i(html.begin(), html.end(), regex), end; i != end; ++i) found.push_back((*i)[1]);
  return found;
}

TEST(HtmlReport, HasEveryPartOnceAndLeadsToIt) {
  const std::string html = HtmlReport(PricedReport(), Tasks());
  ExpectNested(html);
  const std::vector<std::string> parts = All(html, "<h2 id=\"([^\"]*)\"");
  EXPECT_THAT(parts, ::testing::IsSupersetOf({"candidates", "front", "tokens", "choices", "predictions", "bits",
                                              "sensitivities", "size", "time", "units", "provenance"}));
  EXPECT_EQ(std::set<std::string>(parts.begin(), parts.end()).size(), parts.size());
  for (const std::string& target : All(html, "href=\"#([^\"]*)\"")) EXPECT_THAT(parts, ::testing::Contains(target));
}

TEST(HtmlReport, NeedsNothingButItself) {
  const std::string html = HtmlReport(PricedReport(), Tasks());
  for (const char* part : {"<script", "src=", "http:", "https:", "url(", "@import", "<link"}) {
    EXPECT_THAT(html, Not(HasSubstr(part)));
  }
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(HtmlReport, HasTheNumbersOfTheReport) {
  const v1::Report report = PricedReport();
  const std::string html = HtmlReport(report, Tasks());
  EXPECT_THAT(html, HasSubstr("KL divergence 0.02412 nats per token, 0.84 times")) << "the verdict";
  for (const char* number :
       {"4.25 bits per weight", "4.250 bits per weight", "0.024120 ± 0.000268", "0.028710 ± 0.000319", "4,712,345",
        "25.061 ± 0.308", "0.022914", "0.421310", "-0.371 ± 0.018 %", "0.4314 ± 0.0102"}) {
    EXPECT_THAT(html, HasSubstr(number));
  }
  for (const v1::ProvenanceEntry& task : report.provenance().tasks()) EXPECT_THAT(html, HasSubstr(task.task_digest()));
}

TEST(HtmlReport, TheMapMarksWhatWasChosenAndWhatWasMeasured) {
  const std::string html = HtmlReport(PricedReport(), {});
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\">int3-g128</th><th scope=\"col\">int4-g128</th>"
                              "<th scope=\"col\">int8-g128</th>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"loss-9\">4.0e-03 m</td><td class=\"loss-7 chosen\">1.0e-03</td>"
                              "<td class=\"loss-0\">4.0e-06</td>"));
}

TEST(HtmlReport, TheTimeIsThatOfTasksThatRan) {
  const std::string html = HtmlReport(PricedReport(), Tasks());
  EXPECT_THAT(html, HasSubstr("1 cached"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">calibrate</th><td class=\"number\">2</td><td class=\"number\">0</td>"
                              "<td class=\"number\">8.00</td>"));
  EXPECT_THAT(html, HasSubstr("<title>calibrate[0]: 4.0 s</title>"));
  EXPECT_THAT(HtmlReport(PricedReport(), {}), Not(HasSubstr("id=\"time\"")));
}

TEST(HtmlReport, NamesCannotWriteHtml) {
  v1::Report report = PricedReport();
  const std::string hostile = "<script>alert(\"x\")</script>'&{{verdict}}";
  report.set_model(hostile);
  report.set_job_display_name(hostile);
  report.set_verdict(hostile);
  report.set_selected(hostile);
  report.add_calibration_names(hostile);
  report.mutable_candidates(0)->set_name(hostile);
  report.mutable_units(0)->set_name(hostile);
  report.mutable_units(0)->mutable_options(0)->set_format(hostile);
  report.mutable_provenance()->mutable_tasks(0)->set_label(hostile);
  report.mutable_recipe_used()->set_description(hostile);
  report.mutable_consumers()->Add()->set_program(hostile);
  v1::Notice& notice = *report.add_notices();
  notice.set_message(hostile);
  std::vector<v1::Task> tasks = Tasks();
  tasks[1].set_key(hostile);
  const std::string html = HtmlReport(report, tasks);
  ExpectNested(html);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("alert(\"x")));
  EXPECT_GE(All(html, "(&lt;script&gt;)").size(), 10);
  EXPECT_GE(All(html, R"((\{\{verdict\}\}))").size(), 10) << "what is given is no template";
}

TEST(HtmlReport, OfAnEarlierVersionShowsWhatItHas) {
  v1::Report report;
  report.set_model("old");
  report.set_verdict("It fits.");
  const std::string html = HtmlReport(report, {});
  ExpectNested(html);
  EXPECT_THAT(html, HasSubstr("It fits."));
  EXPECT_THAT(html, Not(HasSubstr("id=\"sensitivities\"")));
}

}  // namespace
}  // namespace bitwright
