#pragma once

#include <cstdint>

// Every limit that client and server both hold to, in one place.
namespace bitwright::limits {

inline constexpr int64_t kMaxBlobBytes = int64_t{1} << 40;              // 1 TiB
inline constexpr int64_t kMaxInlineProtoBytes = 64 << 20;               // blobs that the server parses (plans, reports)
inline constexpr int kStreamChunkBytes = 1 << 20;                       // of one ByteStream message
inline constexpr int kMaxMessageBytes = 4 << 20;                        // of one gRPC message
inline constexpr int kMaxTaskSpecBytes = kMaxMessageBytes - (4 << 10);  // what else a lease says takes the rest
inline constexpr int kMaxManifestFiles = 10000;
inline constexpr int kMaxPathBytes = 255;
inline constexpr int kMaxDisplayNameBytes = 128;
inline constexpr int kMaxRequestIdBytes = 64;
inline constexpr int kMaxFindMissingDigests = 10000;
inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;
inline constexpr int kMinWindow = 2;
inline constexpr int kDefaultWindow = 512;
inline constexpr int64_t kDefaultCalibrationTokens = 65536;
inline constexpr int64_t kDefaultEvaluationTokens = 32768;
inline constexpr int kMaxTexts = 8;  // of a job to calibrate on, and as many to evaluate on
inline constexpr int kMaxPromptBytes = 4096;
inline constexpr int kDefaultSampleTokens = 64;
inline constexpr int kMaxSampleTokens = 512;
inline constexpr int kMaxChoiceFiles = 8;  // of a job
inline constexpr int kMaxGoals = 16;       // of a job
inline constexpr int64_t kMaxDataTokens = int64_t{1} << 28;
inline constexpr int kMaxPriority = 10;
inline constexpr int kMaxTaskAttempts = 3;
inline constexpr int kMaxLabels = 64;  // of a job
inline constexpr int kMaxLabelKeyBytes = 63;
inline constexpr int kMaxLabelValueBytes = 128;
inline constexpr int kMaxFilterBytes = 2048;
inline constexpr int kSketchSize = 256;  // hashes in TokenizeSummary.sketch
inline constexpr int kSketchRun = 16;    // token ids that one hash covers

}  // namespace bitwright::limits
