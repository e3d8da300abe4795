#include "proto/report/report_text.h"

#include "proto/report/number_text.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/report/sample_report.h"

namespace bitwright {
namespace {

// To renew the golden text after a deliberate change: BITWRIGHT_WRITE_GOLDEN=1 tests/report_test.
TEST(ReportText, IsTheGoldenText) {
  const std::string text = ReportText(SampleReport());
  if (std::getenv("BITWRIGHT_WRITE_GOLDEN") != nullptr) {
    std::ofstream(SourcePath("tests/golden/proto/report.txt")) << text;
  }
  EXPECT_EQ(text, GoldenText("report.txt"));
}

TEST(ReportText, SaysWhatWasUsedAndWhatToKnow) {
  v1::Report report = SampleReport();
  report.set_job_display_name("try 7");
  report.add_calibration_names("sample (ships with Bitwright)");
  v1::Notice* notice = report.add_notices();
  notice->set_reason("TEXTS_OVERLAP");
  notice->set_message(
      "12 % of the evaluation text is in the calibration text, so that the losses look smaller than they are");
  const std::string text = ReportText(report);
  for (const char* part : {"  job                 try 7\n", "  calibration         sample (ships with Bitwright)\n",
                           "  - 12 % of the evaluation text", "than\n    they are [TEXTS_OVERLAP]\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

// One text is measured as the whole is; of several each has a row.
TEST(ReportText, SeveralTextsHaveARowEach) {
  v1::Report report = SampleReport();
  EXPECT_EQ(ReportText(report).find("on each evaluation text"), std::string::npos);
  for (const char* name : {"prose.txt", ""}) {
    report.add_evaluation_names(name);
    report.mutable_provenance()->add_evaluation_data("another digest/7");
    v1::EvaluatedText& text = *report.add_texts();
    text.set_scored_tokens(16352);
    text.mutable_reference()->set_perplexity(20.5);
    v1::TextMeasurement& measured = *report.mutable_candidates(0)->add_texts();
    measured.set_perplexity(21.25);
    measured.set_perplexity_standard_error(0.5);
    measured.mutable_kl_divergence()->set_mean(0.0325);
    measured.set_top1_agreement(0.9);
  }
  const std::string text = ReportText(report);
  for (const char* part : {"prose.txt  16,352       20.500  21.250 ± 0.500   0.032500 ± 0.000000", "\ntext 2 ",
                           "all        32,704       24.701", "                      another digest/7\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

// The front is shown by about ten of its points, its ends and what was measured among them.
TEST(ReportText, TheFrontIsCutToAFewPoints) {
  v1::Report report = SampleReport();
  report.clear_front();
  for (int i = 0; i < 64; ++i) {
    v1::FrontPoint& point = *report.add_front();
    point.set_average_bits(2 + 0.1 * i);
    point.set_artifact_bytes(1'000'000 + i);
    point.set_predicted_loss(1.0 / (1 + i));
  }
  report.mutable_candidates(0)->set_average_bits(2 + 0.1 * 33);
  report.mutable_candidates(0)->set_predicted_loss(1.0 / 34);
  report.mutable_candidates(1)->set_average_bits(2 + 0.1 * 20);  // as large as a point, and another plan
  const std::string text = ReportText(report);
  for (const char* part :
       {"as predicted, 11 of its 64 plans;", "\n   2.000      1,000,000", "\n   8.300      1,000,063",
        "\n*  5.300      1,000,033               0.029412   0.024120 ± 0.000268\n",
        "\n   4.100      1,000,021               0.045455\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

// There is no budget of size that a bound or a price of a byte could be stated for.
TEST(ReportText, ABoundOfQualityIsNamedAndMet) {
  v1::Report report = SampleReport();
  report.mutable_budget()->set_max_kl_divergence(0.03);
  const std::string text = ReportText(report);
  for (const char* part :
       {"  budget              KL divergence at most 0.03 nats per token, the smallest that meets it\n",
        "\n u uniform-int4-g64   4.250", "u  smallest uniform plan that meets the bound"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("price of a byte"), std::string::npos);
  report.mutable_budget()->set_max_perplexity_rise(0.02);
  EXPECT_NE(ReportText(report).find("\n u uniform-int4-g128  4.125"), std::string::npos) << "smaller, and meets it";
}

TEST(ReportText, AModelWithoutATokenizerShowsIds) {
  v1::Report report = SampleReport();
  report.mutable_sample()->clear_base();
  report.mutable_sample()->set_first_divergence(-1);
  const std::string text = ReportText(report);
  EXPECT_NE(text.find("  unquantized     11 12 13 14 15 16 17 18 19\n"), std::string::npos) << text;
  EXPECT_NE(text.find("the most likely one each time: the same tokens\n"), std::string::npos) << text;
}

// A report of an earlier version knows nothing of what came later.
TEST(ReportText, WhatIsNotKnownIsNotShown) {
  v1::Report report = SampleReport();
  report.mutable_candidates(0)->clear_probability_change();
  report.mutable_candidates(0)->clear_size();
  report.clear_choices();
  report.clear_sample();
  report.clear_front();
  const std::string text = ReportText(report);
  for (const char* part :
       {"token by token", "bytes of the artifact are for", "Multiple-choice", "A sample of", "Pareto front"}) {
    EXPECT_EQ(text.find(part), std::string::npos) << part;
  }
}

TEST(ReportText, NeverWiderThanAHundredColumns) {
  v1::Report report = SampleReport();
  report.set_model(std::string(300, 'm'));
  report.mutable_units(0)->set_name("model." + std::string(200, 'x') + ".qkv_proj");
  report.mutable_candidates(0)->set_name("mixed-" + std::string(200, 'y'));
  report.set_verdict(std::string(40, 'v') + " " + std::string(90, 'w'));
  report.mutable_candidates(1)->set_artifact_bytes(int64_t{1} << 42);
  report.mutable_candidates(1)->mutable_kl_divergence()->set_mean(1234.5);
  const std::string text = ReportText(report);
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
    EXPECT_LE(Columns(line), 100u) << line;
  }
}

TEST(ReportText, EmptyReportIsNoFault) { EXPECT_FALSE(ReportText({}).empty()); }

TEST(ReportText, NamesCannotSteerTheTerminal) {
  v1::Report report = SampleReport();
  report.set_model("evil\033]0;title\a");
  report.mutable_units(0)->set_name("u\033[2J");
  EXPECT_EQ(ReportText(report).find('\033'), std::string::npos);
}

TEST(StageTable, SumsUp) {
  v1::Job job;
  for (const char* kind : {"inspect", "calibrate"}) {
    v1::Stage* stage = job.add_stages();
    stage->set_kind(kind);
    stage->set_tasks(2);
    stage->set_cached(1);
    stage->set_seconds(1.25);
  }
  EXPECT_EQ(StageTableText(job),
            "stage      tasks  cached  seconds\n"
            "---------  -----  ------  -------\n"
            "inspect        2       1     1.25\n"
            "calibrate      2       1     1.25\n"
            "all            4       2     2.50\n");
}

}  // namespace
}  // namespace bitwright
