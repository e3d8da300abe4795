#pragma once

#include <cstdint>

// How work is cut so that it takes no more memory than it must: what workers do and servers count with (live_set.h).
// Pure; bytes throughout.
namespace bitwright {

// A block runs over so many rows at a time: whole windows, at least one.
inline constexpr int64_t kMostChunkRows = 4096;
inline constexpr int64_t kMostChunkBytes = int64_t{512} << 20;  // of their values
int64_t ChunkRows(int64_t row_bytes, int64_t window, int64_t rows);

// An output head [vocab, hidden] is kept where it takes at most kMostHeadBytes in f32; a larger one is loaded by tiles.
inline constexpr int64_t kMostHeadBytes = int64_t{512} << 20;
inline constexpr int64_t kHeadTileRows = 4096;
// Rows of logits that are made at a time.
int64_t LogitRows(int64_t vocab, int64_t rows);

// Streams between blocks that are kept for the way back: of every block where these take at most so much, else of every
// `step`-th and of those `step` blocks that the way back is in.
inline constexpr int64_t kMostKeptBytes = int64_t{1} << 30;
int64_t KeptStreamStep(int64_t blocks, int64_t stream_bytes, int64_t most_bytes = kMostKeptBytes);

// A product whose input is rounded where it is multiplied holds so many rows of it, rounded, at a time.
inline constexpr int64_t kRoundedInputRows = 256;

// Attention keeps scores of so many queries at a time on each thread; on the way back three such tiles.
inline constexpr int64_t kQueryTile = 128;

// An embedding or an output head that is stored as a unit is rounded by so many rows; what a format costs is told from
// so many, evenly spread.
inline constexpr int64_t kEndRows = 8192;

// A mapped file's pages that have been read count as memory: they are given back after so much of it.
inline constexpr int64_t kMappedPieceBytes = int64_t{16} << 20;

}  // namespace bitwright
