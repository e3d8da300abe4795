#include <gtest/gtest.h>

#include "proto/contract/digest.h"
#include "server/jobs/expand.h"
#include "server/jobs/expand_model.h"
#include "server/jobs/task_digest.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

v1::TaskSpec Spec() {
  v1::TaskSpec spec = InspectNode(Model({}).manifest()).spec;
  spec.set_code_version("code1");
  return spec;
}

TEST(TaskDigest, IsTheHashOfTheSerializedSpec) {
  EXPECT_EQ(TaskDigest(Spec()), Sha256Hex(Spec().SerializeAsString()));  // no maps in it
  EXPECT_EQ(TaskDigest(Spec()), TaskDigest(Spec()));
}

TEST(TaskDigest, EveryPartCounts) {
  const std::string before = TaskDigest(Spec());
  v1::TaskSpec spec = Spec();
  spec.set_code_version("code2");
  EXPECT_NE(TaskDigest(spec), before);
  spec = Spec();
  spec.set_compute_class("cpu-avx2");
  EXPECT_NE(TaskDigest(spec), before);
  spec = Spec();
  spec.mutable_inputs(1)->mutable_digest()->set_size_bytes(5);
  EXPECT_NE(TaskDigest(spec), before);
  spec = Spec();
  spec.mutable_tokenize();
  EXPECT_NE(TaskDigest(spec), before);
}

}  // namespace
}  // namespace bitwright::server
