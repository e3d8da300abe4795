#include "workers/agent/device_choice.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "tests/support/status_matchers.h"
#include "workers/agent/card_lock.h"
#include "workers/agent/worker_device.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

using ::testing::HasSubstr;
using Kind = DeviceChoice::Kind;

const std::vector<CudaCard> kTwo = {{0, "Card A", "cuda-sm90-132", 80}, {1, "Card B", "cuda-sm80-108", 40}};

bool Free(const CudaCard&) { return true; }
bool Taken(const CudaCard&) { return false; }

// The ordinal, −1 for the processor.
int Chosen(const std::string& device, const std::vector<CudaCard>& cards,
           const std::function<bool(const CudaCard&)>& take = Free) {
  const auto card = ChooseCard(*ParseDevice(device), cards, take);
  EXPECT_THAT(card, IsOk());
  return card.ok() && *card ? (*card)->ordinal : -1;
}

TEST(DeviceChoice, IsReadAsItIsWritten) {
  EXPECT_EQ(ParseDevice("auto"), (DeviceChoice{Kind::kAuto, {}}));
  EXPECT_EQ(ParseDevice("cpu"), (DeviceChoice{Kind::kCpu, {}}));
  EXPECT_EQ(ParseDevice("cuda"), (DeviceChoice{Kind::kCuda, {}}));
  EXPECT_EQ(ParseDevice("cuda:12"), (DeviceChoice{Kind::kCuda, 12}));
  for (const char* wrong :
       {"", "gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda:01", "cuda: 1", "cuda:1x", "cpu:0", "CUDA"}) {
    EXPECT_EQ(ParseDevice(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(CudaName(kTwo[1].ordinal), "cuda:1");
}

TEST(DeviceChoice, AutoIsTheFirstFreeCardElseTheProcessor) {
  EXPECT_EQ(Chosen("auto", {}), -1);
  EXPECT_EQ(Chosen("auto", kTwo), 0);
  EXPECT_EQ(Chosen("auto", kTwo, [](const CudaCard& card) { return card.ordinal == 1; }), 1);
  EXPECT_EQ(Chosen("auto", kTwo, Taken), -1);
  EXPECT_EQ(Chosen("cpu", kTwo), -1);
}

TEST(DeviceChoice, WhoAsksForACardGetsOneOrIsRefused) {
  EXPECT_EQ(Chosen("cuda", kTwo), 0);
  EXPECT_EQ(Chosen("cuda:1", kTwo), 1);
  for (const char* device : {"cuda", "cuda:0"}) {
    const auto none = ChooseCard(*ParseDevice(device), {}, Free);
    EXPECT_THAT(none, HasReason("DEVICE_UNAVAILABLE"));
    EXPECT_THAT(none.status().message(), HasSubstr("no NVIDIA card"));
    EXPECT_THAT(ChooseCard(*ParseDevice(device), kTwo, Taken), HasReason("DEVICE_UNAVAILABLE"));
  }
  const auto beyond = ChooseCard(*ParseDevice("cuda:2"), kTwo, Free);
  EXPECT_THAT(beyond, HasReason("DEVICE_UNAVAILABLE"));
  EXPECT_THAT(beyond.status().message(), HasSubstr("cuda:1 (Card B)"));
}

TEST(DeviceChoice, AProcessSeesItsOwnCardAlone) {
  EXPECT_EQ(VisibleAlone("", 3), "3");
  EXPECT_EQ(VisibleAlone("GPU-b,GPU-a", 1), "GPU-a");
  EXPECT_EQ(VisibleAlone("5", 0), "5");
  EXPECT_EQ(VisibleAlone("5", 1), "") << "no such card: none is seen";
}

TEST(CardLock, ACardIsOneProcesssAndFreeWhenThatEnds) {
  const std::string id = "test-" + std::to_string(::getpid());
  {
    CardLock first, second;
    EXPECT_TRUE(first.Take(id));
    EXPECT_FALSE(second.Take(id));
    EXPECT_TRUE(second.Take(id + "-other"));
  }
  CardLock third;
  EXPECT_TRUE(third.Take(id));
}

// Two cards, of which as many are seen as CUDA_VISIBLE_DEVICES says.
CardProgram Cards(absl::Status libraries = absl::OkStatus()) {
  return {.cards =
              [] {
                std::vector<CudaCard> cards = kTwo;
                for (CudaCard& card : cards) {
                  card.id = "fake-" + std::to_string(::getpid()) + "-" + std::to_string(card.ordinal);
                }
                return cards;
              },
          .load_libraries = [libraries] { return libraries; },
          .make_device = [](int ordinal, ThreadPool& pool) -> absl::StatusOr<std::unique_ptr<Device>> {
            EXPECT_EQ(ordinal, 0);
            return MakeCpuDevice(pool);
          }};
}

TEST(TakeCard, WorkersOfOneMachineHaveDifferentCards) {
  CardLock a, b, c;
  ASSERT_OK_AND_ASSIGN(const auto first, TakeCard({}, "", Cards(), a));
  ASSERT_OK_AND_ASSIGN(const auto second, TakeCard({}, "", Cards(), b));
  ASSERT_OK_AND_ASSIGN(const auto third, TakeCard({}, "", Cards(), c));
  EXPECT_EQ(first->ordinal, 0);
  EXPECT_EQ(second->ordinal, 1);
  EXPECT_FALSE(third.has_value());
  EXPECT_THAT(TakeCard({Kind::kCuda, 0}, "", Cards(), c), HasReason("DEVICE_UNAVAILABLE"));
}

TEST(TakeCard, WithoutItsLibrariesACardIsOfNoUse) {
  CardLock lock;
  const CardProgram broken = Cards(DeviceUnavailableError("cuda", "cuBLAS is missing"));
  ASSERT_OK_AND_ASSIGN(const auto automatic, TakeCard({}, "", broken, lock));
  EXPECT_FALSE(automatic.has_value());
  EXPECT_THAT(TakeCard({Kind::kCuda, {}}, "", broken, lock), HasReason("DEVICE_UNAVAILABLE"));
  EXPECT_THAT(TakeCard({Kind::kCuda, {}}, "", CardProgram(), lock), HasReason("DEVICE_UNAVAILABLE"));
}

TEST(TakeCard, AProcessorsClassAsksForTheProcessor) {
  CardLock lock;
  ASSERT_OK_AND_ASSIGN(const auto card, TakeCard({}, "cpu-avx2", Cards(), lock));
  EXPECT_FALSE(card.has_value());
}

TEST(ClassOf, IsTheCardsOrTheProcessors) {
  EXPECT_EQ(*ClassOf("", kTwo[0], "cpu-avx512"), "cuda-sm90-132");
  EXPECT_EQ(*ClassOf("", std::nullopt, "cpu-avx512"), "cpu-avx512");
  EXPECT_EQ(*ClassOf("cpu-avx2", std::nullopt, "cpu-avx512"), "cpu-avx2");
  EXPECT_EQ(*ClassOf("cuda-sm90-132", kTwo[0], "cpu-avx512"), "cuda-sm90-132");
  EXPECT_THAT(ClassOf("cuda-sm90-132", kTwo[1], "cpu-avx512"), HasReason("COMPUTE_CLASS_UNAVAILABLE"));
  EXPECT_THAT(ClassOf("cpu-avx2", kTwo[0], "cpu-avx512"), HasReason("COMPUTE_CLASS_UNAVAILABLE"));
  EXPECT_THAT(ClassOf("cuda-sm90-132", std::nullopt, "cpu-avx512"), HasReason("COMPUTE_CLASS_UNAVAILABLE"));
}

TEST(DeviceMaker, TheCardMustBeOfTheClass) {
  ThreadPool pool(1);
  EXPECT_THAT(DeviceMaker(0, "cuda-sm90-132", Cards())(pool), IsOk());
  EXPECT_THAT(DeviceMaker(1, "cuda-sm90-114", Cards())(pool), HasReason("DEVICE_UNAVAILABLE"));
  CardProgram none = Cards();
  none.cards = [] { return std::vector<CudaCard>(); };
  EXPECT_THAT(DeviceMaker(0, "cuda-sm90-132", none)(pool), HasReason("DEVICE_UNAVAILABLE"));
}

}  // namespace
}  // namespace bitwright::worker
