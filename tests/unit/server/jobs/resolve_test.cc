#include <cmath>
#include <functional>

#include "proto/base/errors.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "server/jobs/budget_check.h"
#include "server/jobs/resolve.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

struct Request {
  v1::JobSpec spec = Spec();
  v1::Model model = Model({});
  std::optional<v1::Recipe> recipe = MixedGptq();

  absl::StatusOr<ResolvedJob> Send() const {
    return Resolve(spec, std::make_shared<v1::Model>(model), FakeDigest("info", 1), recipe);
  }
};

// The request after one change.
absl::StatusOr<ResolvedJob> With(const std::function<void(Request&)>& change) {
  Request request;
  change(request);
  return request.Send();
}

absl::StatusOr<ResolvedJob> WithRecipe(const std::function<void(v1::Recipe&)>& change) {
  return With([&](Request& r) { change(*r.recipe); });
}

TEST(Resolve, FillsDefaults) {
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, Request().Send());
  EXPECT_EQ(job.spec.target(), "compressed-tensors");
  EXPECT_EQ(job.spec.calibration(0).window(), 512);
  EXPECT_EQ(job.spec.calibration(0).tokens(), 65536);
  EXPECT_EQ(job.spec.evaluation(0).tokens(), 32768);
  EXPECT_EQ(job.recipe.rounding().method(), v1::ROUNDING_METHOD_GPTQ);
  EXPECT_EQ(job.recipe.rounding().scales(), v1::SCALE_METHOD_SEARCHED);
  EXPECT_DOUBLE_EQ(job.recipe.rounding().damping(), 0.01);
  EXPECT_EQ(job.recipe.sensitivity().windows(), 8);
  EXPECT_EQ(job.recipe.sensitivity().middle_bits(), 3);
  EXPECT_EQ(job.recipe.evaluation().compute(), v1::COMPUTE_TYPE_F32);
}

TEST(Resolve, DefaultWindowFitsAShortModel) {
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, With([](Request& r) { r.model.mutable_info()->set_max_positions(128); }));
  EXPECT_EQ(job.spec.calibration(0).window(), 128);
}

TEST(Resolve, ModelMustBeReady) {
  EXPECT_THAT(With([](Request& r) { r.model.set_state(v1::Model::INSPECTING); }), HasReason("MODEL_NOT_READY"));
  const auto rejected = With([](Request& r) { r.model.set_state(v1::Model::REJECTED); });
  EXPECT_THAT(rejected, HasReason("MODEL_NOT_READY"));
  EXPECT_THAT(rejected, StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(Resolve, RecipeMustExist) {
  const auto result = With([](Request& r) { r.recipe.reset(); });
  EXPECT_THAT(result, HasReason("RECIPE_NOT_FOUND"));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kNotFound));
}

TEST(Resolve, InlineRecipeNeedsNoName) {
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, With([](Request& r) {
                         r.recipe.reset();
                         r.spec.mutable_inline_recipe();
                       }));
  EXPECT_EQ(job.recipe.name(), "inline");
  EXPECT_TRUE(job.recipe.candidates().mixed());
}

TEST(Resolve, ARecipeOfOnesOwnDoesNotTravelUnderAShippedName) {
  const auto own = [](const std::function<void(v1::Recipe&)>& change) {
    return With([&](Request& r) {
      r.recipe->set_name("recipes/mixed-gptq");
      *r.spec.mutable_inline_recipe() = *r.recipe;
      r.spec.mutable_inline_recipe()->set_description("mine");
      change(*r.spec.mutable_inline_recipe());
    });
  };
  for (const char* name : {"mixed-gptq", "recipes/mixed-gptq"}) {
    ASSERT_OK_AND_ASSIGN(const ResolvedJob same, own([&](v1::Recipe& r) { r.set_name(name); }));
    EXPECT_EQ(same.spec.recipe(), "recipes/mixed-gptq") << "equal parts: it is the shipped one";
    EXPECT_FALSE(same.spec.has_inline_recipe());
    EXPECT_EQ(same.recipe.name(), "mixed-gptq");
    ASSERT_OK_AND_ASSIGN(const ResolvedJob edited, own([&](v1::Recipe& r) {
                           r.set_name(name);
                           r.mutable_rounding()->set_damping(0.5);
                         }));
    EXPECT_EQ(edited.recipe.name(), "mixed-gptq-edited");
    EXPECT_EQ(edited.spec.inline_recipe().name(), "mixed-gptq-edited");
  }
}

TEST(Resolve, APreflightWithoutABudgetHasTheLargest) {
  v1::JobSpec spec = Spec();
  spec.clear_budget();
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, Resolve(spec, std::make_shared<v1::Model>(Model({})),
                                                      FakeDigest("info", 1), MixedGptq(), Purpose::kPreflight));
  EXPECT_EQ(job.spec.budget().artifact_bytes(), LimitsOf(*job.target(), job.recipe).largest_artifact_bytes);
  spec.mutable_budget()->set_average_bits(1);
  EXPECT_THAT(
      Resolve(spec, std::make_shared<v1::Model>(Model({})), FakeDigest("info", 1), MixedGptq(), Purpose::kPreflight),
      HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
}

TEST(Resolve, LabelsAreChecked) {
  const auto label = [](const std::string& key, const std::string& value) {
    return With([&](Request& r) { (*r.spec.mutable_labels())[key] = value; });
  };
  BITWRIGHT_EXPECT_OK(label("team.a_b-1", "Größe 3"));
  BITWRIGHT_EXPECT_OK(label(std::string(63, 'k'), std::string(128, 'v')));
  for (const std::string& key : {std::string(), std::string("Team"), std::string("a b"), std::string(64, 'k')}) {
    EXPECT_THAT(label(key, "v"), HasReason("LABEL_INVALID")) << key;
  }
  EXPECT_THAT(label("k", std::string(129, 'v')), HasReason("LABEL_INVALID"));
  EXPECT_THAT(With([](Request& r) {
                for (int i = 0; i <= 64; ++i) (*r.spec.mutable_labels())["k" + std::to_string(i)] = "v";
              }),
              HasReason("LABEL_INVALID"));
}

// As inspection found, with what does store the model.
TEST(Resolve, WhatTheTargetCannotStoreIsRefused) {
  v1::Model model = Model({});
  v1::TargetInfo refusing;
  refusing.set_target("compressed-tensors");
  *refusing.mutable_refusal() = ToProto(MakeError(absl::StatusCode::kInvalidArgument, "TARGET_CANNOT_STORE",
                                                  "target 'compressed-tensors' cannot store it: so", {{"what", "it"}}));
  model.mutable_info()->mutable_targets(0)->set_target("gguf");
  *model.mutable_info()->add_targets() = refusing;
  const auto resolved =
      Resolve(Spec(), std::make_shared<v1::Model>(model), FakeDigest("info", 1), MixedGptq(), Purpose::kPreflight);
  EXPECT_THAT(resolved, HasReason("TARGET_CANNOT_STORE"));
  EXPECT_EQ(GetErrorDetail(resolved.status())->metadata.at("what"), "it");
  EXPECT_EQ(resolved.status().message(), "target 'compressed-tensors' cannot store it: so; use target gguf");
}

TEST(Resolve, AConsumerLeavesTheRecipeWhatItLoads) {
  v1::Model model = Model({});
  v1::ConsumerInfo& consumer = *model.mutable_info()->mutable_targets(0)->add_consumers();
  consumer.set_name("server");
  consumer.set_program("a server");
  for (const char* format : {"int4-g32", "int4-channel", "int8-channel"}) consumer.add_formats(format);
  const auto resolve = [&](const std::string& name) {
    v1::JobSpec spec = Spec();
    spec.set_consumer(name);
    return Resolve(spec, std::make_shared<v1::Model>(model), FakeDigest("info", 1), MixedGptq(), Purpose::kPreflight);
  };
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, resolve("server"));
  EXPECT_EQ(job.goals[0].recipe.formats().names_size(), 3);
  EXPECT_TRUE(job.goals[0].recipe.candidates().mixed());
  EXPECT_THAT(resolve("browser"), HasReason("CONSUMER_UNKNOWN"));
  consumer.set_one_format(true);
  ASSERT_OK_AND_ASSIGN(const ResolvedJob uniform, resolve("server"));
  EXPECT_FALSE(uniform.goals[0].recipe.candidates().mixed());
  consumer.set_refusal("the inputs of a unit are odd");
  EXPECT_THAT(resolve("server"), HasReason("CONSUMER_CANNOT_LOAD"));
  EXPECT_THAT(resolve("server").status().message(), ::testing::HasSubstr("name none, or another target"));
  v1::ConsumerInfo& other = *model.mutable_info()->mutable_targets(0)->add_consumers();
  other.set_name("desk");
  other.add_formats("int4-g32");
  EXPECT_THAT(resolve("server").status().message(), ::testing::HasSubstr("name one of 'desk', or none"));
}

TEST(Resolve, GoalsStandInPlaceOfTheSpecsOwn) {
  v1::JobSpec spec = Spec();
  spec.clear_budget();
  spec.clear_target();
  const auto resolve = [&] {
    return Resolve(spec, std::make_shared<v1::Model>(Model({})), FakeDigest("info", 1), MixedGptq(), Purpose::kRun);
  };
  spec.add_goals()->mutable_budget()->set_average_bits(4.25);
  spec.add_goals()->mutable_budget()->set_max_kl_divergence(0.05);
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, resolve());
  ASSERT_EQ(job.goals.size(), 2);
  EXPECT_EQ(job.goals[1].goal.target(), "compressed-tensors") << "the first, where none is named";
  EXPECT_EQ(job.spec.goals(1).SerializeAsString(), job.goals[1].goal.SerializeAsString());
  EXPECT_TRUE(job.spec.target().empty());

  spec.set_target("compressed-tensors");
  EXPECT_THAT(resolve(), HasReason("GOALS_INVALID")) << "a goal of the spec's own beside them";
  spec.clear_target();
  *spec.add_goals() = spec.goals(0);
  EXPECT_THAT(resolve(), HasReason("GOALS_INVALID")) << "twice";
  spec.mutable_goals(2)->set_target("compressed-tensors");
  EXPECT_THAT(resolve(), HasReason("GOALS_INVALID")) << "twice, once with the default spelled out";
  spec.mutable_goals(2)->mutable_budget()->set_max_perplexity_rise(0);
  EXPECT_THAT(resolve(), HasReason("BUDGET_INVALID"));
  spec.mutable_goals(2)->mutable_budget()->set_average_bits(1);
  EXPECT_THAT(resolve(), HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  while (spec.goals_size() <= limits::kMaxGoals) {
    spec.add_goals()->mutable_budget()->set_average_bits(4 + 0.01 * spec.goals_size());
  }
  EXPECT_THAT(resolve(), HasReason("GOALS_INVALID")) << "too many";
}

TEST(Resolve, AConsumerMustLoadTheEndsToo) {
  v1::Model model = Model({});
  v1::ConsumerInfo& consumer = *model.mutable_info()->mutable_targets(0)->add_consumers();
  consumer.set_name("server");
  for (const char* format : {"int4-g32", "int4-channel", "int8-channel"}) consumer.add_formats(format);
  v1::Recipe recipe = MixedGptq();
  const auto resolve = [&] {
    v1::JobSpec spec = Spec();
    spec.set_consumer("server");
    return Resolve(spec, std::make_shared<v1::Model>(model), FakeDigest("info", 1), recipe, Purpose::kPreflight);
  };
  recipe.mutable_formats()->add_ends("int8-channel");
  recipe.mutable_formats()->add_ends("Q8_0");
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, resolve());
  EXPECT_THAT(job.goals[0].recipe.formats().ends(), ::testing::ElementsAre("int8-channel"));
  recipe.mutable_formats()->mutable_ends()->DeleteSubrange(0, 1);
  EXPECT_THAT(resolve(), HasReason("CONSUMER_CANNOT_LOAD"));
}

TEST(Resolve, TargetDevicePriorityAndNameAreChecked) {
  EXPECT_THAT(With([](Request& r) { r.spec.set_target("ggml"); }), HasReason("TARGET_UNKNOWN"));
  EXPECT_THAT(With([](Request& r) { r.spec.set_device("gpu"); }), HasReason("DEVICE_UNKNOWN"));
  for (const char* device : {"", "cpu", "cuda", "any"}) {
    EXPECT_THAT(With([=](Request& r) { r.spec.set_device(device); }), IsOk()) << device;
  }
  EXPECT_THAT(With([](Request& r) { r.spec.set_priority(11); }), HasReason("PRIORITY_INVALID"));
  EXPECT_THAT(With([](Request& r) { r.spec.set_priority(INT32_MIN); }), HasReason("PRIORITY_INVALID"));
  EXPECT_THAT(With([](Request& r) { r.spec.set_display_name(std::string(129, 'x')); }),
              HasReason("DISPLAY_NAME_INVALID"));
  const auto data = With([](Request& r) { r.spec.mutable_evaluation(0)->set_display_name(std::string(129, 'x')); });
  EXPECT_THAT(data, HasReason("DISPLAY_NAME_INVALID"));
  EXPECT_THAT(std::string(data.status().message()), ::testing::HasSubstr("evaluation.display_name"));
}

TEST(Resolve, BudgetIsChecked) {
  EXPECT_THAT(With([](Request& r) { r.spec.clear_budget(); }), HasReason("BUDGET_MISSING"));
  EXPECT_THAT(With([](Request& r) { r.spec.mutable_budget()->set_average_bits(std::nan("")); }),
              HasReason("BUDGET_INVALID"));
  EXPECT_THAT(With([](Request& r) { r.spec.mutable_budget()->set_average_bits(1.9); }),
              HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  EXPECT_THAT(With([](Request& r) { r.spec.mutable_budget()->set_artifact_bytes(1 << 30); }),
              HasReason("BUDGET_ABOVE_LARGEST_PLAN"));
}

TEST(Resolve, DataIsChecked) {
  const auto data = [](const std::function<void(v1::Data&)>& change) {
    return With([&](Request& r) { change(*r.spec.mutable_evaluation(0)); });
  };
  EXPECT_THAT(data([](v1::Data& d) { d.set_kind(v1::Data::KIND_UNSPECIFIED); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_window(1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_window(-5); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_window(1025); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_tokens(511); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_tokens(-1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.set_tokens(int64_t{1} << 40); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) {
                d.set_window(2);
                d.set_tokens(1 << 20);
              }),
              HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.clear_blob(); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.mutable_blob()->set_sha256("zz"); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(data([](v1::Data& d) { d.mutable_blob()->set_size_bytes(0); }), HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(With([](Request& r) { r.spec.clear_calibration(); }), HasReason("DATA_INVALID"));
}

// Each text a blob of its own.
void AddTexts(int count, google::protobuf::RepeatedPtrField<v1::Data>& texts) {
  for (int t = 0; t < count; ++t) {
    v1::Data& data = *texts.Add();
    data.set_kind(v1::Data::TEXT);
    *data.mutable_blob() = FakeDigest("more " + std::to_string(t), 1000);
  }
}

TEST(Resolve, TextsToCalibrateOnShareTheTokensThatNoneSays) {
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, With([](Request& r) {
                         AddTexts(3, *r.spec.mutable_calibration());
                         AddTexts(2, *r.spec.mutable_evaluation());
                         r.spec.mutable_calibration(0)->set_window(256);
                         r.spec.mutable_calibration(2)->set_tokens(1024);
                       }));
  ASSERT_EQ(job.spec.calibration_size(), 4);
  for (const int t : {0, 1, 3}) EXPECT_EQ(job.spec.calibration(t).tokens(), 65536 / 4) << t;
  EXPECT_EQ(job.spec.calibration(2).tokens(), 1024);
  for (const v1::Data& data : job.spec.calibration()) EXPECT_EQ(data.window(), 256);
  ASSERT_EQ(job.spec.evaluation_size(), 3);
  for (const v1::Data& data : job.spec.evaluation()) {
    EXPECT_EQ(data.tokens(), 32768) << "each is a measurement of its own";
    EXPECT_EQ(data.window(), 512);
  }
}

TEST(Resolve, EveryTextIsChecked) {
  const auto text = [](const std::function<void(v1::Data&)>& change) {
    return With([&](Request& r) {
      AddTexts(1, *r.spec.mutable_evaluation());
      change(*r.spec.mutable_evaluation(1));
    });
  };
  EXPECT_THAT(text([](v1::Data&) {}), IsOk());
  const auto wide = text([](v1::Data& d) { d.set_window(256); });
  EXPECT_THAT(wide, HasReason("DATA_INVALID"));
  EXPECT_THAT(std::string(wide.status().message()), testing::HasSubstr("evaluation[1]"));
  EXPECT_THAT(std::string(wide.status().message()), testing::HasSubstr("512"));
  EXPECT_THAT(text([](v1::Data& d) { d.mutable_blob()->set_size_bytes(0); }), HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(text([](v1::Data& d) { d.clear_blob(); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(With([](Request& r) { AddTexts(7, *r.spec.mutable_calibration()); }), IsOk());
  EXPECT_THAT(With([](Request& r) {
                AddTexts(2, *r.spec.mutable_calibration());
                for (v1::Data& data : *r.spec.mutable_calibration()) data.set_tokens(65536 / 2 * 512);
              }),
              HasReason("DATA_INVALID"))
      << "together more than 65536 windows";
  const auto many = With([](Request& r) { AddTexts(8, *r.spec.mutable_calibration()); });
  EXPECT_THAT(many, HasReason("TOO_MANY_TEXTS"));
  EXPECT_THAT(std::string(many.status().message()),
              testing::HasSubstr("9 calibration texts are given; give at most 8"));
}

TEST(Resolve, QuestionsAndSampleAreChecked) {
  const auto with = [](const std::function<void(v1::JobSpec&)>& change) {
    return With([&](Request& r) {
      *r.spec.add_choices()->mutable_blob() = FakeDigest("questions", 100);
      r.spec.mutable_sample();
      change(r.spec);
    });
  };
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, with([](v1::JobSpec&) {}));
  EXPECT_EQ(job.spec.sample().tokens(), 64);
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_choices(0)->set_questions(-1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_choices(0)->clear_blob(); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_choices(0)->mutable_blob()->set_size_bytes(0); }),
              HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_choices(0)->set_display_name(std::string(129, 'x')); }),
              HasReason("DISPLAY_NAME_INVALID"));
  const auto many = with([](v1::JobSpec& s) {
    for (int f = 0; f < 8; ++f) *s.add_choices() = s.choices(0);
  });
  EXPECT_THAT(many, HasReason("TOO_MANY_TEXTS"));
  EXPECT_THAT(std::string(many.status().message()),
              testing::HasSubstr("9 files of questions are given; give at most 8"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_sample()->set_tokens(513); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_sample()->set_tokens(-1); }), HasReason("DATA_INVALID"));
  EXPECT_THAT(with([](v1::JobSpec& s) { s.mutable_sample()->set_prompt(std::string(4097, 'x')); }),
              HasReason("DATA_INVALID"));
  ASSERT_OK_AND_ASSIGN(const ResolvedJob small, With([](Request& r) {
                         r.model.mutable_info()->set_max_positions(32);
                         r.spec.mutable_sample();
                       }));
  EXPECT_EQ(small.spec.sample().tokens(), 31) << "behind one token at least";
}

TEST(Resolve, TextNeedsATokenizer) {
  const auto without = [](Request& r) { r.model.mutable_info()->clear_tokenizer_path(); };
  EXPECT_THAT(With(without), HasReason("TOKENIZER_MISSING"));
  EXPECT_THAT(With([&](Request& r) {
                without(r);
                r.spec.mutable_calibration(0)->set_kind(v1::Data::DOCUMENTS_JSONL);
                r.spec.mutable_evaluation(0)->set_kind(v1::Data::TOKEN_IDS_JSONL);
              }),
              HasReason("TOKENIZER_MISSING"));
  EXPECT_THAT(With([&](Request& r) {
                without(r);
                r.spec.mutable_calibration(0)->set_kind(v1::Data::TOKEN_IDS_JSONL);
                r.spec.mutable_evaluation(0)->set_kind(v1::Data::TOKEN_IDS_JSONL);
              }),
              IsOk());
}

TEST(Resolve, RecipeIsChecked) {
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.set_name("Mixed"); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.set_description(std::string(1025, 'x')); }),
              HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_formats()->add_bits(9); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_formats()->add_group_sizes(48); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_formats()->add_names("int4"); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) {
                r.mutable_formats()->add_names("int4-g32");
                r.mutable_formats()->add_names("int4-g32");
              }),
              HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) {
                r.mutable_formats()->add_bits(4);
                r.mutable_formats()->add_bits(4);
              }),
              HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_sensitivity()->set_windows(-1); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_sensitivity()->set_middle_bits(1); }),
              HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_sensitivity()->add_checked_bits(16); }),
              HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_candidates()->set_uniform(-1); }), HasReason("RECIPE_INVALID"));
  EXPECT_THAT(WithRecipe([](v1::Recipe& r) { r.mutable_evaluation()->set_compute(static_cast<v1::ComputeType>(77)); }),
              HasReason("RECIPE_INVALID"));
  for (const double damping : {-0.01, 1.5, std::nan("")}) {
    EXPECT_THAT(WithRecipe([&](v1::Recipe& r) { r.mutable_rounding()->set_damping(damping); }),
                HasReason("RECIPE_INVALID"));
  }
}

TEST(Resolve, RecipeMustLeaveEveryUnitAFormat) {
  const auto result = WithRecipe([](v1::Recipe& r) { r.mutable_formats()->add_group_sizes(128); });
  EXPECT_THAT(result, HasReason("RECIPE_INVALID"));
  EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr("model.layers.0.self_attn.qkv_proj"));
}

}  // namespace
}  // namespace bitwright::server
